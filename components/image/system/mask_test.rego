package system.log_test

import data.system.log

runtime(value) := {"env": {"DECISION_LOG_MASK": json.marshal(value)}}

masked(document, names) := result if {
	found := log.mask with input as {"input": document} with opa.runtime as runtime(names)
	result := [entry.value | some entry in found; is_object(entry)][0]
}

test_fields_are_left_out_wherever_they_are if {
	document := {
		"subject": {"id": "u1", "type": "user"},
		"rows": [{"id": "r1", "size": 2}, {"size": 3}],
		"a/b": {"id": {"deep": 1}},
	}
	masked(document, ["id"]) == {"subject": {"type": "user"}, "rows": [{"size": 2}, {"size": 3}], "a/b": {}}
}

test_lists_go_whole if {
	masked({"chain": ["u1", "u2"], "action": "read"}, ["chain"]) == {"action": "read"}
}

test_nothing_is_left_out_where_nothing_is_hidden if {
	masked({"id": "u1"}, []) == {"id": "u1"}
}

test_other_inputs_than_objects_are_not_logged if {
	log.mask == {"/input"} with input as {"input": ["u1"]} with opa.runtime as runtime(["id"])
	log.mask == {"/input"} with input as {"input": "u1"} with opa.runtime as runtime(["id"])
}

test_without_a_list_no_input_is_logged if {
	log.mask == {"/input"} with input as {"input": {"id": "u1"}} with opa.runtime as {"env": {}}
}
