import { isLoopback } from "../../components/cloudrun/credentials.ts";
import { type Places, readStackFile, servicesOf } from "../../components/stack-file.ts";
import type { Item } from "./item.ts";
import type { Problem } from "./problem.ts";

/** A service that is asked what it knows of the history. */
export interface Witness {
  /** projects/P/locations/L/services/S */
  service: string;
  /** Of the API; Google's own by default. */
  endpoint?: string | undefined;
  /** Whether it is taken for the stack's. One that only the history names could be anybody's: it can accuse, but neither confirm nor excuse, and isn't sealed. */
  isOwn: boolean;
}

/** Who is asked, and what an auditor should know about that. */
export interface Witnesses {
  ask: Witness[];
  problems: Problem[];
  notes: string[];
}

export const CANT_RULE_OUT = "truncation at the end can't be ruled out by the service";

/** What a service's name looks like. A failed update may leave another text in its place, and a call goes to whatever a name says. */
const SERVICE = /^projects\/[\w.:-]+\/locations\/[\w-]+\/services\/[\w-]+$/;

/** Where the stack's configuration says that its services are. */
export interface Configured {
  /** Where the configuration is looked for. */
  file: string;
  /** Undefined where there is no configuration, or it doesn't say. */
  places?: Places;
}

/** Reads the stack's configuration file. @throws UserError where it can't be read */
export async function readConfigured(directory: string, stack: string): Promise<Configured> {
  const { file, values } = await readStackFile(directory, stack);
  if (values === undefined) return { file };
  // Loads Pulumi's SDK: only where there is something to read.
  const { readableConfig } = await import("../../components/config.ts");
  const config = readableConfig(values);
  const services = servicesOf(config);
  return services.length === 0 || config.endpoint === null
    ? { file }
    : { file, places: { services, endpoint: config.endpoint } };
}

/** What the history says: the newest entry that names services. */
export function namedIn(items: Item[]): Places {
  const { services, endpoint } = items.findLast(({ facts }) => facts.services.length > 0)?.facts ?? { services: [] };
  return { services, endpoint };
}

/**
 * Chooses whom to ask. The operator's credentials go along, and whoever can write the history could name a place of their own to receive them: so the
 * configuration says where the service is, and without one the history is believed only where it names Google's API or this machine.
 * @param named what the history says
 */
export function chooseWitnesses({ file, places }: Configured, named: Places): Witnesses {
  const { endpoint } = named;
  const services = named.services.filter((service) => SERVICE.test(service));
  return places === undefined
    ? unconfirmed(file, { services, endpoint })
    : confirmed(file, places, { services, endpoint });
}

function confirmed(file: string, configured: Places, named: Places): Witnesses {
  const isElsewhere = named.endpoint !== undefined && !isSame(named.endpoint, configured.endpoint);
  const isForeign = isElsewhere && !isHere(named.endpoint);
  const endpoint = isElsewhere && !isForeign ? named.endpoint : configured.endpoint;
  const own = configured.services.map((service) => ({ service, endpoint: configured.endpoint, isOwn: true }));
  const others = named.services
    .filter((service) => endpoint !== configured.endpoint || !configured.services.includes(service))
    .map((service) => ({ service, endpoint, isOwn: false }));
  const message = `the history says that the service's API is at ${JSON.stringify(named.endpoint)}, and ${file} says ${configured.endpoint ?? "Google's"}: it was asked there, for the other would have been sent your credentials. Either the newest entry was changed, or the configuration was since the last update`;
  return {
    ask: [...own, ...others],
    problems: isForeign ? [{ kind: "inconsistent", key: "", message }] : [],
    notes: others.map(
      ({ service }) =>
        `the history names ${service}${endpoint === undefined ? "" : ` at ${endpoint}`}, which ${file} doesn't: it confirms nothing`,
    ),
  };
}

function unconfirmed(file: string, { services, endpoint }: Places): Witnesses {
  if (services.length === 0) return { ask: [], problems: [], notes: [] };
  if (endpoint !== undefined && !isHere(endpoint)) {
    const note = `${CANT_RULE_OUT}: it wasn't asked at ${JSON.stringify(endpoint)}, which would have been sent your credentials; only the history names that, and ${file} doesn't`;
    return { ask: [], problems: [], notes: [note] };
  }
  return {
    ask: services.map((service) => ({ service, endpoint, isOwn: true })),
    problems: [],
    notes: [`${file} doesn't say where the service is, so it is asked where the history says: ${services.join(", ")}`],
  };
}

/** Whether an address is on this machine. What is no address is nowhere. */
function isHere(endpoint: string | undefined): boolean {
  return endpoint !== undefined && URL.canParse(endpoint) && isLoopback(endpoint);
}

/** A slash at the end makes no difference. */
function isSame(a: string, b: string | undefined): boolean {
  return b !== undefined && a.replace(/\/+$/, "") === b.replace(/\/+$/, "");
}
