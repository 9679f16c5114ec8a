# METADATA
# title: Travel auto-booking
# description: |
#   Decides whether a principal may act on a trip, and says why not. A decision has requirements, named by the reason
#   code that is given when one isn't met; it is allowed when its action has requirements and all of them are met.
#   So whatever is missing, malformed or unknown denies.
package auto_book

# METADATA
# title: Allowed
# description: True when the action is known and none of its requirements is missing. Denies by default.
# entrypoint: true
default allow := false

allow if count(missing) == 0

# METADATA
# title: Reasons
# description: |
#   Why the decision is a denial. Of each chain only the first missing requirement is given: what comes after it can't
#   be judged before that one is met.
# entrypoint: true
reasons contains code if {
	some chain in chains
	code := first_missing(chain)
}

# METADATA
# title: Reasons of unattended booking
# description: The owner's limits are nobody's business who isn't authorized in the first place.
reasons contains first_missing(booking_chain) if "auto_book.unauthorized_principal" in met

# METADATA
# title: Missing requirements
# description: What the action requires and isn't met. Undefined for an unknown action.
missing := requirements[input.action.name] - met

# METADATA
# title: Requirements
# description: By action. read.persona is the one that has no reason code.
requirements := {
	"create": {
		"auto_book.action_not_allowed_for_persona",
		"auto_book.unauthorized_principal",
		"auto_book.persona_invalid",
	},
	"read": {"read.persona", "read.no_read_delegation"},
	"update": all_requirements,
	"execute": all_requirements,
	"delete": all_requirements,
	"validate_persona": {"validate_persona.persona_invalid"},
}

# METADATA
# title: All requirements
# description: Of acting on a trip that exists.
all_requirements := {code | some code in array.concat(persona_chain, booking_chain)}

# METADATA
# title: Persona chain
# description: Who acts, in the order in which it is explained.
persona_chain := [
	"auto_book.action_not_allowed_for_persona",
	"auto_book.unauthorized_principal",
	"auto_book.persona_mismatch",
	"auto_book.persona_invalid",
]

# METADATA
# title: Booking chain
# description: The owner's limits for unattended booking, in the order in which they are explained.
booking_chain := [
	"auto_book.no_consent",
	"auto_book.airline_risk_too_high",
	"auto_book.cost_limit_exceeded",
	"auto_book.insufficient_advance_notice",
]

# METADATA
# title: Independent chains
# description: Each gives its own reason.
chains := [persona_chain, ["read.no_read_delegation"], ["validate_persona.persona_invalid"]]

# METADATA
# title: First missing
# description: The first requirement of a chain that is missing. Undefined when none is.
first_missing(chain) := [code | some code in chain; code in missing][0]

# METADATA
# title: Met requirements
# description: Every requirement that is met, whether the action requires it or not. This one - the persona may perform the action.
met contains code if {
	some code in {"auto_book.action_not_allowed_for_persona", "read.persona"}
	some persona in data.travel.persona_titles
	persona.title == principal.persona_title
	input.action.name in persona["allowed-actions"]
}

# METADATA
# title: Authorized principal
# description: The principal may act on this resource - it is their own, the action was delegated, or it is a new one.
met contains code if {
	some code in {"auto_book.unauthorized_principal", "read.no_read_delegation"}
	authorized(principal_id, input.action.name)
}

# METADATA
# title: Persona of an owner
# description: Owners act under the persona that the resource was made under.
met contains "auto_book.persona_mismatch" if {
	principal_id == owner_id
	principal.persona_title == owner.persona_title
	principal.persona_circle == owner.persona_circle
}

# METADATA
# title: Persona of a delegate
# description: Anyone else needs a persona that may be delegated this action, or that of a service.
met contains "auto_book.persona_mismatch" if {
	principal_id != owner_id
	principal.persona_title in array.concat(
		data.travel.delegation_personas[input.action.name],
		data.travel.service_personas,
	)
}

# METADATA
# title: Valid persona
# description: The persona is active, and now is inside its window (both ends included, RFC 3339).
met contains code if {
	some code in {"auto_book.persona_invalid", "validate_persona.persona_invalid"}
	principal.persona_status == "active"
	time.parse_rfc3339_ns(principal.persona_valid_from) <= time.now_ns()
	time.parse_rfc3339_ns(principal.persona_valid_till) >= time.now_ns()
}

# METADATA
# title: Consent
# description: The owner agreed to unattended booking. Anything but true is no consent.
met contains "auto_book.no_consent" if owner.consent == true

# METADATA
# title: No risk score
# description: A trip without a risk score isn't held to the owner's risk level. A score of 0 is a score.
met contains "auto_book.airline_risk_too_high" if not "airline_risk_score" in object.keys(trip)

# METADATA
# title: Risk
# description: |
#   The score is at most the owner's level. Subtracting instead of comparing refuses what isn't a number: in Rego null
#   sorts below every number and a string above.
met contains "auto_book.airline_risk_too_high" if trip.airline_risk_score - owner.autobook_risklevel <= 0

# METADATA
# title: No price
# description: A trip without a planned price isn't held to the owner's price limit.
met contains "auto_book.cost_limit_exceeded" if not "planned_price" in object.keys(trip)

# METADATA
# title: Price
# description: The planned price is at most the owner's limit, in the same currency unit.
met contains "auto_book.cost_limit_exceeded" if trip.planned_price - owner.autobook_price <= 0

# METADATA
# title: Advance notice
# description: Departure is at least the owner's lead time ahead, counted in days of 24 hours. No departure date, no booking.
met contains "auto_book.insufficient_advance_notice" if {
	ahead_ns := time.parse_rfc3339_ns(trip.departure_date) - time.now_ns()
	ahead_ns - (owner.autobook_leadtime * day_ns) >= 0
}

# METADATA
# title: Authorized
# description: |
#   Whether an authenticated principal (identified, that is) may perform an action on the resource: anyone may create,
#   owners may do anything, others what was delegated to them. That a delegation chain or a subject names the owner is a
#   claim, no delegation. array.concat takes lists only, so a delegation of another shape delegates nothing.
authorized(_, "create") := true

authorized(id, _) if id == owner_id

authorized(_, action) if action in array.concat([], input.context.delegation.delegated_actions)

# METADATA
# title: Identity
# description: A party's id if it is text that isn't blank, otherwise undefined, so that two missing ids are never the same person.
identity(party) := regex.find_n(`^\s*\S[\s\S]*$`, party.id, 1)[0]

# METADATA
# title: Principal's id
# description: Who asks. Undefined when nobody is authenticated.
principal_id := identity(principal)

# METADATA
# title: Owner's id
# description: Whose trip it is. Undefined when the resource doesn't say.
owner_id := identity(owner)

# METADATA
# title: Principal
# description: Who asks, and under which persona.
principal := input.context.principal

# METADATA
# title: Trip
# description: The resource's properties.
trip := input.resource.properties

# METADATA
# title: Owner
# description: Whose trip it is, and within which limits it may be booked unattended.
owner := trip.owner

# METADATA
# title: Day
# description: 24 hours in nanoseconds.
day_ns := ((24 * 60) * 60) * 1000000000
