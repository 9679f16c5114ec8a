package system.authz_test

import data.system.authz

test_decisions_may_be_asked_for if {
	authz.allow with input as {"method": "POST", "path": ["v1", "data", "auto_book", "allow"]}
	authz.allow with input as {"method": "GET", "path": ["v1", "data", "policy_release"]}
}

test_health_and_metrics_may_be_read if {
	authz.allow with input as {"method": "GET", "path": ["health"]}
	authz.allow with input as {"method": "GET", "path": ["metrics"]}
}

test_nothing_can_be_changed if {
	every method in ["PUT", "PATCH", "DELETE"] {
		not authz.allow with input as {"method": method, "path": ["v1", "data", "auto_book"]}
		not authz.allow with input as {"method": method, "path": ["v1", "policies", "x"]}
		not authz.allow with input as {"method": method, "path": ["health"]}
	}
}

test_nothing_else_can_be_asked if {
	every path in [["v1", "policies"], ["v1", "query"], ["v1", "compile"], ["v1", "config"], ["v0", "data"], [], ["v1"]] {
		not authz.allow with input as {"method": "GET", "path": path}
		not authz.allow with input as {"method": "POST", "path": path}
	}
}

test_health_takes_no_body if {
	not authz.allow with input as {"method": "POST", "path": ["health"]}
}
