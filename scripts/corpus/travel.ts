import type { Random } from "../../components/diff/search/random.ts";
import type { Json } from "../../components/scenarios/scenario.ts";

const ACTIONS = ["create", "read", "update", "execute", "delete", "validate_persona"];
const TITLES = [
  ...["visitor", "traveler", "business-traveler", "travel-agent", "office-manager"],
  ...["booking-assistant", "user-admin", "ai-agent", "domain-services"],
];
const STATUSES = ["pending", "active", "inactive", "suspended", "revoked"];
const CIRCLES = ["family", "friends", "work"];

/** A part of the input that can be other than a plain, allowed request. */
type Variation = (input: Draft, random: Random) => void;

interface Draft {
  subject: Record<string, Json>;
  action: { name: string };
  resource: { type: string; id: string; properties: Record<string, Json> & { owner: Record<string, Json> } };
  context: { principal: Record<string, Json>; delegation: Record<string, Json> };
}

/**
 * A decision input of the travel domain: a request that is within all rules, with up to four things different. Source of the fields and their values: the
 * callers' contract (policies/travel/manifest.yaml and the scenarios). Dates are relative, so a corpus doesn't age.
 */
export function travelInput(random: Random, index: number): Json {
  const draft = plainRequest(random, index);
  const count = random.pick([0, 1, 1, 1, 2, 2, 3, 4]);
  for (let change = 0; change < count; change++) random.pick(VARIATIONS)(draft, random);
  return draft as unknown as Json;
}

function plainRequest(random: Random, index: number): Draft {
  const id = `user-${random.below(500)}`;
  const persona = { persona_title: random.pick(TITLES), persona_circle: random.pick(CIRCLES) };
  const leadtime = random.pick([0, 1, 3, 7, 14]);
  const price = random.pick([200, 500, 1000]);
  const risk = random.pick([0, 2, 3, 5]);
  return {
    subject: { type: "user", id },
    action: { name: random.pick(ACTIONS) },
    resource: {
      type: "trip",
      id: `trip-${index}`,
      properties: {
        owner: {
          ...{ id, ...persona, consent: true },
          ...{ autobook_price: price, autobook_leadtime: leadtime, autobook_risklevel: risk },
        },
        planned_price: price - random.below(150),
        departure_date: { $now: `+${leadtime + 1 + random.below(30)}d` },
        airline_risk_score: random.below(risk + 1),
      },
    },
    context: {
      principal: {
        ...{ id, ...persona, persona_status: "active" },
        persona_valid_from: { $now: `-${1 + random.below(300)}d` },
        persona_valid_till: { $now: `+${1 + random.below(300)}d` },
      },
      delegation: { delegation_chain: [], delegated_actions: [] },
    },
  };
}

const VARIATIONS: Variation[] = [
  delegate,
  delegate,
  delegate,
  ({ context }, random) => {
    context.principal.persona_status = random.pick(STATUSES);
  },
  ({ context }, random) => {
    context.principal.persona_title = random.pick([...TITLES, "stowaway"]);
  },
  ({ context }, random) => {
    context.principal.persona_circle = random.pick(CIRCLES);
  },
  ({ context }, random) => {
    context.principal.persona_valid_from = random.pick<Json>([{ $now: "+2d" }, "yesterday", null]);
  },
  ({ context }, random) => {
    context.principal.persona_valid_till = random.pick<Json>([{ $now: "-2h" }, "tomorrow", null]);
  },
  ({ resource: { properties } }, random) => {
    properties.owner.consent = random.pick<Json>([false, null, "true"]);
  },
  ({ resource: { properties } }, random) => {
    const limit = Number(properties.owner.autobook_price);
    properties.planned_price = random.pick<Json>([limit, limit + 1, limit + 250, "400"]);
  },
  ({ resource: { properties } }) => {
    delete properties.planned_price;
  },
  ({ resource: { properties } }, random) => {
    const limit = Number(properties.owner.autobook_risklevel);
    properties.airline_risk_score = random.pick<Json>([0, limit, limit + 1, 9, null]);
  },
  ({ resource: { properties } }) => {
    delete properties.airline_risk_score;
  },
  ({ resource: { properties } }, random) => {
    const days = Number(properties.owner.autobook_leadtime);
    const near = { $now: `+${Math.max(0, days * 24 - 1)}h` };
    properties.departure_date = random.pick<Json>([near, { $now: "-1d" }, "soon"]);
  },
  ({ resource: { properties } }) => {
    delete properties.departure_date;
  },
  ({ resource: { properties } }, random) => {
    properties.owner.id = random.pick<Json>([`user-${random.below(500)}`, null, "  "]);
  },
  ({ context }, random) => {
    context.principal.id = random.pick<Json>([`user-${random.below(500)}`, "", null]);
  },
  ({ subject }, random) => {
    Object.assign(subject, { type: "agent", id: `agent-${random.below(20)}`, persona: random.pick(TITLES) });
  },
  ({ action }, random) => {
    action.name = random.pick([...ACTIONS, "transfer"]);
  },
];

/** Somebody acts for the owner: with the action delegated or only claimed, under a persona that may or may not. */
function delegate({ action, context }: Draft, random: Random): void {
  const owner = context.principal.id as Json;
  const id = `user-${500 + random.below(100)}`;
  Object.assign(context.principal, { id, persona_title: random.pick(TITLES) });
  context.delegation = {
    delegation_chain: [owner, id],
    delegated_actions: random.pick<Json[]>([[action.name], [action.name], [random.pick(ACTIONS)], [], ACTIONS]),
  };
}
