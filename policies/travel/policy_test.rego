# METADATA
# title: Tests of travel auto-booking
# description: The clock stands still at `now`, and the manifest is found from this directory as well as from its parent.
package auto_book_test

import data.auto_book

now := time.parse_rfc3339_ns("2026-03-01T12:00:00Z")

# `opa test policies` loads the manifest as data.travel, `opa test policies/travel` as data.
manifest := {
	"persona_titles": array.concat(
		[title | some title in data.travel.persona_titles],
		[title | some title in data.persona_titles],
	),
	"delegation_personas": object.union(
		{action: titles | some action, titles in data.travel.delegation_personas},
		{action: titles | some action, titles in data.delegation_personas},
	),
	"service_personas": array.concat(
		[title | some title in data.travel.service_personas],
		[title | some title in data.service_personas],
	),
}

decide(request) := {"allow": allow, "reasons": reasons} if {
	allow := auto_book.allow with input as request with data.travel as manifest with time.now_ns as now
	reasons := auto_book.reasons with input as request with data.travel as manifest with time.now_ns as now
}

allowed := {"allow": true, "reasons": set()}

denied(code) := {"allow": false, "reasons": {code}}

own_trip := {
	"subject": {"type": "user", "id": "olivia"},
	"action": {"name": "execute"},
	"resource": {"type": "trip", "id": "trip-1", "properties": {
		"owner": {
			"id": "olivia",
			"persona_title": "traveler",
			"persona_circle": "family",
			"consent": true,
			"autobook_price": 500,
			"autobook_leadtime": 7,
			"autobook_risklevel": 3,
		},
		"planned_price": 400,
		"departure_date": "2026-03-21T12:00:00Z",
		"airline_risk_score": 2,
	}},
	"context": {"principal": {
		"id": "olivia",
		"persona_title": "traveler",
		"persona_circle": "family",
		"persona_status": "active",
		"persona_valid_from": "2026-01-01T00:00:00Z",
		"persona_valid_till": "2026-12-31T00:00:00Z",
	}},
}

set_at(request, path, value) := json.patch(request, [{"op": "add", "path": path, "value": value}])

without(request, path) := json.remove(request, [path])

with_action(action) := set_at(own_trip, "action/name", action)

with_principal(field, value) := set_at(own_trip, sprintf("context/principal/%s", [field]), value)

with_owner(field, value) := set_at(own_trip, sprintf("resource/properties/owner/%s", [field]), value)

with_trip(field, value) := set_at(own_trip, sprintf("resource/properties/%s", [field]), value)

delegated(action, title, actions) := object.union(own_trip, {
	"action": {"name": action},
	"context": {
		"principal": {"id": "dana", "persona_title": title},
		"delegation": {"delegation_chain": ["olivia", "dana"], "delegated_actions": actions},
	},
})

test_owner_within_limits_allowed if {
	every action in ["create", "read", "update", "execute", "delete", "validate_persona"] {
		decide(with_action(action)) == allowed
	}
}

test_empty_or_unknown_request_denied if {
	decide({}) == {"allow": false, "reasons": set()}
	decide(null) == {"allow": false, "reasons": set()}
	decide(with_action("transfer")) == {"allow": false, "reasons": set()}
	decide(with_action(["execute"])) == {"allow": false, "reasons": set()}
}

test_action_not_allowed_for_persona if {
	every action in ["create", "update", "execute", "delete"] {
		request := set_at(with_action(action), "context/principal/persona_title", "visitor")
		decide(request) == denied("auto_book.action_not_allowed_for_persona")
	}
	decide(delegated("execute", "office-manager", ["execute"])) == denied("auto_book.action_not_allowed_for_persona")
	decide(delegated("delete", "booking-assistant", ["delete"])) == denied("auto_book.action_not_allowed_for_persona")
	decide(with_principal("persona_title", "stowaway")) == denied("auto_book.action_not_allowed_for_persona")
	decide(with_principal("persona_title", null)) == denied("auto_book.action_not_allowed_for_persona")
}

test_unlisted_persona_may_not_read if {
	request := set_at(with_action("read"), "context/principal/persona_title", "stowaway")
	decide(request) == {"allow": false, "reasons": set()}
}

test_suspended_persona_denied if {
	every action in ["create", "update", "execute", "delete"] {
		request := set_at(with_action(action), "context/principal/persona_status", "suspended")
		decide(request) == denied("auto_book.persona_invalid")
	}
}

test_only_active_persona_is_valid if {
	every status in ["pending", "inactive", "suspended", "revoked", "Active", null] {
		decide(with_principal("persona_status", status)) == denied("auto_book.persona_invalid")
	}
	decide(without(own_trip, "context/principal/persona_status")) == denied("auto_book.persona_invalid")
}

test_persona_window_includes_its_ends if {
	decide(with_principal("persona_valid_from", "2026-03-01T12:00:00Z")) == allowed
	decide(with_principal("persona_valid_till", "2026-03-01T13:00:00+01:00")) == allowed
	decide(with_principal("persona_valid_from", "2026-03-01T12:00:00.000000001Z")) == denied("auto_book.persona_invalid")
	decide(with_principal("persona_valid_till", "2026-03-01T11:59:59Z")) == denied("auto_book.persona_invalid")
}

test_persona_window_has_to_be_given if {
	every field in ["persona_valid_from", "persona_valid_till"] {
		decide(with_principal(field, "soon")) == denied("auto_book.persona_invalid")
		decide(with_principal(field, null)) == denied("auto_book.persona_invalid")
		decide(without(own_trip, sprintf("context/principal/%s", [field]))) == denied("auto_book.persona_invalid")
	}
}

test_validate_persona_asks_for_the_persona_alone if {
	request := without(set_at(with_action("validate_persona"), "context/principal/persona_title", "visitor"), "resource")
	decide(request) == allowed
	decide(set_at(request, "context/principal/persona_status", "revoked")) == denied("validate_persona.persona_invalid")
}

test_owner_uses_the_persona_of_the_resource if {
	decide(with_principal("persona_title", "business-traveler")) == denied("auto_book.persona_mismatch")
	decide(with_principal("persona_title", "travel-agent")) == denied("auto_book.persona_mismatch")
	decide(with_principal("persona_circle", "company")) == denied("auto_book.persona_mismatch")
}

test_delegate_allowed if {
	every title in ["travel-agent", "booking-assistant", "user-admin", "ai-agent", "domain-services"] {
		decide(delegated("execute", title, ["execute"])) == allowed
	}
	every title in ["travel-agent", "booking-assistant", "user-admin", "office-manager", "ai-agent", "domain-services"] {
		decide(delegated("update", title, ["read", "update"])) == allowed
	}
	every title in ["travel-agent", "user-admin", "ai-agent", "domain-services"] {
		decide(delegated("delete", title, ["delete"])) == allowed
	}
}

test_delegate_needs_a_delegation_persona if {
	every action in ["update", "execute", "delete"] {
		decide(delegated(action, "traveler", [action])) == denied("auto_book.persona_mismatch")
		decide(delegated(action, "business-traveler", [action])) == denied("auto_book.persona_mismatch")
	}
}

test_claiming_to_act_for_an_owner_is_no_delegation if {
	every actions in [[], ["read", "update"], "execute", {"any": "execute"}, null] {
		decide(delegated("execute", "travel-agent", actions)) == denied("auto_book.unauthorized_principal")
	}
	no_delegation := without(delegated("execute", "travel-agent", []), "context/delegation")
	decide(no_delegation) == denied("auto_book.unauthorized_principal")
}

test_limits_are_not_told_to_the_unauthorized if {
	spoofed := delegated("execute", "travel-agent", [])
	decide(set_at(spoofed, "resource/properties/owner/consent", false)) == denied("auto_book.unauthorized_principal")
}

test_missing_ids_are_never_the_same_person if {
	every id in [null, "", " \n", 7, ["olivia"]] {
		request := set_at(with_owner("id", id), "context/principal/id", id)
		decide(request) == denied("auto_book.unauthorized_principal")
	}
	request := without(without(own_trip, "context/principal/id"), "resource/properties/owner/id")
	decide(request) == denied("auto_book.unauthorized_principal")
}

test_anyone_authenticated_may_create if {
	decide(set_at(with_action("create"), "context/principal/id", "someone-else")) == allowed
	anonymous := without(with_action("create"), "context/principal/id")
	decide(anonymous) == denied("auto_book.unauthorized_principal")
}

test_reading if {
	decide(delegated("read", "visitor", ["read"])) == allowed
	decide(delegated("read", "travel-agent", ["execute"])) == denied("read.no_read_delegation")
}

test_consent_is_true_or_none if {
	every consent in [false, null, "true", 1] {
		decide(with_owner("consent", consent)) == denied("auto_book.no_consent")
	}
	decide(without(own_trip, "resource/properties/owner/consent")) == denied("auto_book.no_consent")
}

test_risk_score_within_level if {
	decide(with_trip("airline_risk_score", 3)) == allowed
	decide(with_trip("airline_risk_score", 3.5)) == denied("auto_book.airline_risk_too_high")
	every score in [null, "2", false] {
		decide(with_trip("airline_risk_score", score)) == denied("auto_book.airline_risk_too_high")
	}
}

test_risk_score_of_zero_counts if {
	request := with_owner("autobook_risklevel", -1)
	decide(set_at(request, "resource/properties/airline_risk_score", 0)) == denied("auto_book.airline_risk_too_high")
	decide(without(request, "resource/properties/airline_risk_score")) == allowed
	no_level := without(own_trip, "resource/properties/owner/autobook_risklevel")
	decide(no_level) == denied("auto_book.airline_risk_too_high")
}

test_price_within_limit if {
	decide(with_trip("planned_price", 500)) == allowed
	decide(without(own_trip, "resource/properties/planned_price")) == allowed
	every price in [500.01, null, "400", true] {
		decide(with_trip("planned_price", price)) == denied("auto_book.cost_limit_exceeded")
	}
	every limit in [399, null, "500"] {
		decide(with_owner("autobook_price", limit)) == denied("auto_book.cost_limit_exceeded")
	}
}

test_departure_is_the_lead_time_ahead if {
	decide(with_trip("departure_date", "2026-03-08T12:00:00Z")) == allowed
	every departure in ["2026-03-08T11:59:59Z", "2026-02-01T00:00:00Z", "2026-03-21", null] {
		decide(with_trip("departure_date", departure)) == denied("auto_book.insufficient_advance_notice")
	}
	no_departure := without(own_trip, "resource/properties/departure_date")
	decide(no_departure) == denied("auto_book.insufficient_advance_notice")
	decide(with_owner("autobook_leadtime", "0")) == denied("auto_book.insufficient_advance_notice")
}

test_first_missing_requirement_is_the_reason if {
	stranger := delegated("execute", "traveler", [])
	stranger_reason := denied("auto_book.unauthorized_principal")
	decide(set_at(stranger, "context/principal/persona_status", "revoked")) == stranger_reason
	limits := json.patch(own_trip, [
		{"op": "replace", "path": "resource/properties/airline_risk_score", "value": 9},
		{"op": "replace", "path": "resource/properties/planned_price", "value": 900},
		{"op": "remove", "path": "resource/properties/departure_date"},
	])
	decide(limits) == denied("auto_book.airline_risk_too_high")
	decide(set_at(limits, "resource/properties/owner/consent", false)) == denied("auto_book.no_consent")
}

test_persona_and_limits_are_explained_independently if {
	request := set_at(with_owner("consent", false), "context/principal/persona_status", "revoked")
	decide(request) == {"allow": false, "reasons": {"auto_book.persona_invalid", "auto_book.no_consent"}}
}
