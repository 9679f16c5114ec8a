# METADATA
# title: Tests of access to patient records
# description: The clock stands still at `now`, and the tables are the tests' own, so the folder alone is enough.
package nursing_access_test

import data.nursing_access

now := time.parse_rfc3339_ns("2026-03-01T12:00:00Z")

tables := {
	"role_actions": {"nurse": ["read", "chart"], "physician": ["read", "chart", "prescribe"]},
	"break_glass": {"actions": ["read", "chart"], "reason_length": 15},
}

decide(request) := {"allow": allow, "reasons": reasons} if {
	allow := nursing_access.allow with input as request with data.nursing as tables with time.now_ns as now
	reasons := nursing_access.reasons with input as request with data.nursing as tables with time.now_ns as now
}

allowed := {"allow": true, "reasons": set()}

denied(code) := {"allow": false, "reasons": {code}}

on_own_ward := {
	"action": {"name": "chart"},
	"resource": {"type": "record", "id": "patient-1", "properties": {"ward": "4-east"}},
	"context": {"principal": {
		"id": "nora",
		"role": "nurse",
		"wards": ["4-east"],
		"shift": {"starts": "2026-03-01T06:00:00Z", "ends": "2026-03-01T14:00:00Z"},
	}},
}

set_at(request, path, value) := json.patch(request, [{"op": "add", "path": path, "value": value}])

emergency(reason) := json.patch(on_own_ward, [
	{"op": "replace", "path": "resource/properties/ward", "value": "intensive-care"},
	{"op": "add", "path": "context/break_glass", "value": {"reason": reason}},
])

test_nurse_on_own_ward_allowed if decide(on_own_ward) == allowed

test_empty_request_denied if {
	decide({}) == denied("nursing_access.action_not_allowed_for_role")
	decide(null) == denied("nursing_access.action_not_allowed_for_role")
}

test_role_limits_actions if {
	request := set_at(on_own_ward, "action/name", "prescribe")
	decide(request) == denied("nursing_access.action_not_allowed_for_role")
	decide(set_at(request, "context/principal/role", "physician")) == allowed
	decide(set_at(request, "context/principal/role", "visitor")) == denied("nursing_access.action_not_allowed_for_role")
}

test_shift_includes_its_ends if {
	decide(set_at(on_own_ward, "context/principal/shift/starts", "2026-03-01T12:00:00Z")) == allowed
	decide(set_at(on_own_ward, "context/principal/shift/ends", "2026-03-01T12:00:00Z")) == allowed
	every field, time in {"starts": "2026-03-01T12:00:01Z", "ends": "2026-03-01T11:59:59Z"} {
		request := set_at(on_own_ward, sprintf("context/principal/shift/%s", [field]), time)
		decide(request) == denied("nursing_access.off_shift")
	}
}

test_shift_has_to_be_given if {
	decide(json.remove(on_own_ward, ["context/principal/shift"])) == denied("nursing_access.off_shift")
	decide(set_at(on_own_ward, "context/principal/shift/ends", "later")) == denied("nursing_access.off_shift")
}

test_other_ward_denied if {
	every wards in [[], ["5-west"], "4-east", null] {
		request := set_at(on_own_ward, "context/principal/wards", wards)
		decide(request) == denied("nursing_access.not_assigned_to_ward")
	}
}

test_break_glass if {
	decide(emergency("cardiac arrest in bed 7")) == allowed
	every reason in ["", "urgent", "               .", null, 123456789012345678] {
		decide(emergency(reason)) == denied("nursing_access.not_assigned_to_ward")
	}
}

test_break_glass_never_prescribes if {
	request := json.patch(emergency("cardiac arrest in bed 7"), [
		{"op": "replace", "path": "action/name", "value": "prescribe"},
		{"op": "replace", "path": "context/principal/role", "value": "physician"},
	])
	decide(request) == denied("nursing_access.not_assigned_to_ward")
}
