const day = 24 * 60 * 60 * 1000;
const inDays = (days: number) => new Date(Date.now() + days * day).toISOString();

/** An owner who executes a booking within all limits, with a persona of the given status: allowed only for `active`. */
export function bookingBy(personaStatus: string): unknown {
  const persona = { persona_title: "traveler", persona_circle: "family" };
  return {
    subject: { type: "user", id: "olivia" },
    action: { name: "execute" },
    resource: {
      type: "trip",
      id: "trip-1",
      properties: {
        owner: {
          id: "olivia",
          ...persona,
          consent: true,
          autobook_price: 500,
          autobook_leadtime: 7,
          autobook_risklevel: 3,
        },
        planned_price: 400,
        departure_date: inDays(30),
        airline_risk_score: 2,
      },
    },
    context: {
      principal: {
        id: "olivia",
        ...persona,
        persona_status: personaStatus,
        persona_valid_from: inDays(-30),
        persona_valid_till: inDays(30),
      },
      delegation: { delegation_chain: [], delegated_actions: [] },
    },
  };
}

/** A rule that lets suspended personas act: what must never be served. */
export const WRONG_ALLOW = '\nallow if input.context.principal.persona_status == "suspended"\n';

/** The same, from a moment on: right when it is tested first, wrong when it is live. */
export function wrongAllowFrom(time: Date): string {
  return `\nallow if {\n\tinput.context.principal.persona_status == "suspended"\n\ttime.now_ns() >= time.parse_rfc3339_ns("${time.toISOString()}")\n}\n`;
}

/** The same where the service is asked by its own name and not by a tag's; for an image that tells policies the host name (host-image). */
export const WRONG_AT_MAIN_URL =
  '\nallow if {\n\tinput.context.principal.persona_status == "suspended"\n\tstartswith(input.host, "flowpilot-opa.")\n}\n';
