# METADATA
# title: What may be asked of the running policy engine
# description: >-
#   OPA's API can replace policies and data while it runs. A policy reaches production as a release and in no other way, so
#   everything but asking for decisions and looking at health and metrics is refused. The default is deny.
# related_resources:
#   - https://www.openpolicyagent.org/docs/security#authentication-and-authorization
package system.authz

default allow := false

# METADATA
# title: Decisions are asked for, and documents read
allow if {
	input.method in {"GET", "POST"}
	array.slice(input.path, 0, 2) == ["v1", "data"]
}

# METADATA
# title: Health for the platform, metrics for the canary analysis
allow if {
	input.method == "GET"
	input.path in [["health"], ["metrics"]]
}
