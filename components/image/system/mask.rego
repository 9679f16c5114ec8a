# METADATA
# title: What decision logs leave out
# description: >-
#   Names of input fields, wherever in the input they are, from the environment (decisionLogMask in the stack's configuration). The whole
#   value goes, so nothing below a hidden field stays. Without a list, and where the input is no object, nothing of it is logged at all.
# related_resources:
#   - https://www.openpolicyagent.org/docs/management-decision-logs#masking-sensitive-data
package system.log

hidden := json.unmarshal(opa.runtime().env.DECISION_LOG_MASK)

found contains path if {
	walk(input.input, [keys, _])
	keys[count(keys) - 1] in hidden
	path := [sprintf("%v", [key]) | some key in keys]
}

mask contains {"op": "upsert", "path": "/input", "value": json.remove(input.input, found)} if {
	hidden
	is_object(input.input)
}

mask contains "/input" if not hidden

mask contains "/input" if not is_object(input.input)
