# METADATA
# title: Access to patient records
# description: |
#   Decides whether a member of staff may act on a patient's record, and says why not. Three requirements, explained one at
#   a time: a role that may perform the action, a running shift, and a reason to be at this patient's bed.
package nursing_access

# METADATA
# title: Allowed
# description: True when nothing is missing. Denies by default.
# entrypoint: true
default allow := false

allow if count(missing) == 0

# METADATA
# title: Reasons
# description: The first requirement that is missing.
# entrypoint: true
reasons contains missing[0]

# METADATA
# title: Missing requirements
# description: What isn't met, in the order in which it is explained.
missing := [code | some code in requirements; not code in met]

# METADATA
# title: Requirements
# description: Named by the reason code that is given when one isn't met.
requirements := [
	"nursing_access.action_not_allowed_for_role",
	"nursing_access.off_shift",
	"nursing_access.not_assigned_to_ward",
]

# METADATA
# title: Role
# description: The role may perform the action.
met contains "nursing_access.action_not_allowed_for_role" if {
	input.action.name in data.nursing.role_actions[staff.role]
}

# METADATA
# title: Shift
# description: Now is inside the shift (both ends included, RFC 3339).
met contains "nursing_access.off_shift" if {
	time.parse_rfc3339_ns(staff.shift.starts) <= time.now_ns()
	time.parse_rfc3339_ns(staff.shift.ends) >= time.now_ns()
}

# METADATA
# title: Ward
# description: The patient lies on one of the wards that the member of staff is assigned to.
met contains "nursing_access.not_assigned_to_ward" if {
	input.resource.properties.ward in array.concat([], staff.wards)
}

# METADATA
# title: Break-glass
# description: An emergency opens some actions on any ward, if it is explained.
met contains "nursing_access.not_assigned_to_ward" if {
	input.action.name in data.nursing.break_glass.actions
	count(trim_space(input.context.break_glass.reason)) - data.nursing.break_glass.reason_length >= 0
}

# METADATA
# title: Staff
# description: Who asks.
staff := input.context.principal
