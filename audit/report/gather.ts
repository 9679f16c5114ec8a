import { leafOf } from "../../components/audit/chain.ts";
import type { HistorySource } from "../../components/audit/source.ts";
import { webAddress } from "../../components/web-address.ts";
import { type AuditEvent, eventsOf } from "../events.ts";
import { type EntryFacts, readFacts } from "../facts.ts";
import { eventsSince } from "../now.ts";
import type { OpenedStack } from "../open.ts";
import { readEntries } from "../read.ts";
import { isSelected, type Selection } from "../select.ts";
import { freshGates } from "../serving.ts";
import { Deployments } from "../stats/deployment.ts";
import { dora } from "../stats/dora.ts";
import { runVerification } from "../verify/run.ts";
import { describeChanges, describeGate, readDetails, scenarioMatrix } from "./details.ts";
import type { Release, ReportModel } from "./model.ts";
import { type ShareChange, sharesOf } from "./timeline.ts";

/** More than anybody reads on one page; the newest are kept. */
const LIMITS = { events: 2_000, releases: 60, shares: 200 };

/** How an attempt to deploy can end. */
const ENDINGS = new Set(["DEPLOY_SUCCESS", "PROMOTE", "DEPLOY_FAILED", "ROLLBACK", "AWAITING_APPROVAL"]);

interface Attempt {
  key: string;
  ending: AuditEvent;
}

/** Reads everything that the report shows. @param linkTo address of a commit on the web */
export async function gatherReport(
  opened: OpenedStack,
  selection: Selection,
  linkTo: (commit: string) => string | undefined,
): Promise<ReportModel> {
  const { source, project, stack } = opened;
  const { keys } = await source.list();
  const deployments = new Deployments();
  const events: AuditEvent[] = [];
  const shares: ShareChange[] = [];
  const attempts: Attempt[] = [];
  let previous: EntryFacts | undefined;
  let first: number | undefined;
  for await (const entry of readEntries(source, keys)) {
    first ??= entry.startedAt;
    const all = eventsOf(entry, previous);
    deployments.add(entry, previous, all);
    shares.push(...sharesOf(entry, previous));
    const selected = all.filter((event) => isSelected(event, selection));
    events.push(...selected);
    const ending = selected.find(({ event }) => ENDINGS.has(event));
    if (ending !== undefined) attempts.push({ key: entry.key, ending });
    previous = entry;
  }
  events.push(...(await eventsSince(source)).filter((event) => isSelected(event, selection)));
  const now = Date.now();
  const to = selection.until ?? now;
  const from = selection.since ?? first ?? to;
  const inPeriod = shares.filter((change) => change.time <= to && endOf(change, shares, to) >= from);
  const shown = attempts.slice(-Math.min(LIMITS.releases, selection.last ?? LIMITS.releases)).reverse();
  return {
    project,
    stack,
    source: source.description,
    madeAt: now,
    verification: await runVerification(opened),
    figures: dora(deployments.all, from, to),
    shares: inPeriod.slice(-LIMITS.shares),
    events: events.slice(-LIMITS.events),
    releases: await readReleases(source, keys, shown, linkTo),
    omitted: {
      events: Math.max(0, events.length - LIMITS.events),
      releases: attempts.length - shown.length,
      shares: Math.max(0, inPeriod.length - LIMITS.shares),
    },
  };
}

/** Until when a split served: until the next change of the same service. */
function endOf(change: ShareChange, shares: ShareChange[], to: number): number {
  const later = shares.slice(shares.indexOf(change) + 1).find(({ service }) => service === change.service);
  return later?.time ?? to;
}

async function readReleases(
  source: HistorySource,
  keys: string[],
  attempts: Attempt[],
  linkTo: (commit: string) => string | undefined,
): Promise<Release[]> {
  const releases: Release[] = [];
  for (const { key, ending } of attempts) {
    const before = keys[keys.indexOf(key) - 1];
    const previous = before === undefined ? undefined : readFacts(await source.read(before));
    const files = await source.read(key);
    releases.push(describeRelease(files, readFacts(files), previous, ending, linkTo));
  }
  return releases;
}

function describeRelease(
  files: Parameters<typeof readDetails>[0],
  entry: EntryFacts,
  previous: EntryFacts | undefined,
  ending: AuditEvent,
  linkTo: (commit: string) => string | undefined,
): Release {
  const { attempt, governance } = entry;
  const { gates, diff, image } = readDetails(files, ending.release);
  const fresh = freshGates(entry, previous);
  const own = governance?.release === ending.release ? governance : undefined;
  const commit = attempt?.commit ?? own?.commit ?? "";
  return {
    hash: ending.release,
    ending,
    commit,
    link: commit === "" ? undefined : linkTo(commit),
    subject: attempt?.subject ?? own?.message ?? "",
    author: ending.author,
    committedAt: attempt?.committedAt ?? own?.committedAt ?? "",
    operator: ending.operator,
    run: webAddress(attempt?.run),
    policyDigest: own?.policyDigest ?? "",
    image: own === undefined ? "" : (image ?? ""),
    signedBy: describeSigner(own?.signedBy),
    remarks: remarksOn(entry),
    gates: gates.map(describeGate),
    matrix: scenarioMatrix(gates),
    restoration: fresh.find(({ restoration }) => restoration !== undefined)?.restoration,
    approval: entry.approval?.release === ending.release ? entry.approval : undefined,
    diff: diff === undefined ? undefined : describeChanges(diff),
    entry: { key: entry.key, digest: leafOf(files).digest },
  };
}

function remarksOn({ attempt, gates, governance }: EntryFacts): string[] {
  const skipped = gates.filter(({ verdict }) => verdict === "SKIPPED").map(({ stage }) => stage);
  return [
    skipped.length > 0 ? `Tests were skipped: ${skipped.join(", ")}.` : "",
    attempt?.overrideQuarantine === undefined ? "" : `Quarantine overridden: ${attempt.overrideReason ?? ""}`,
    attempt?.breakGlass === undefined ? "" : `Break glass: ${attempt.breakGlassReason ?? ""}`,
    attempt?.promote === undefined ? "" : "Promoted by request.",
    attempt?.pinned === true ? "Pinned by the release setting." : "",
    ...(attempt?.dirtyFiles ?? []).slice(0, 20).map((file) => `Uncommitted, and not deployed: ${file}`),
    ...(governance?.warnings ?? []),
  ].filter(Boolean);
}

/** Who signed the commit or tag, in whatever form the governance checks record it. */
function describeSigner(signer: unknown): string {
  if (typeof signer === "string") return signer;
  if (typeof signer !== "object" || signer === null) return "";
  return Object.entries(signer)
    .filter(([, value]) => typeof value === "string")
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}
