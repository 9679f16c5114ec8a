import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { dynamic } from "@pulumi/pulumi";
import { CloudRun } from "../cloudrun/client.ts";
import { messageOf } from "../errors.ts";
import { isPass, type Verdict } from "../gate/verdict.ts";
import { announceLater, collectDeliveries, type Delivery } from "../notify/announce.ts";
import type { NotifyConfig } from "../notify/destinations.ts";
import { failed } from "../notify/event.ts";
import { subjectOf } from "../notify/subject.ts";
import { plain } from "../state.ts";
import type { Budgets } from "./budgets.ts";
import type { DomainDiff } from "./result.ts";

/** Where the HTML pages are. */
const PAGES = ".local/diff";

/** How long a way back waits for its comparison, ms: what serves may be so broken that it leaves every question open. */
const WAY_BACK_MS = 60_000;

export interface Inputs {
  endpoint?: string;
  service: string;
  release: string;
  commit: string;
  revision: string;
  taggedUrl: string;
  gate: string;
  packages: Record<string, string>;
  policyDir: string;
  directory: string;
  scenarioDir: string;
  replayDir: string;
  budgets: Budgets;
  search: boolean;
  skip: boolean;
  policyDigest: string;
  notify?: NotifyConfig;
  attempt?: string;
}

/** What the comparison found; kept in the state whatever the verdict. Times are RFC 3339. */
export interface Findings {
  verdict: Verdict;
  summary: string;
  /** Why the release is blocked; empty when it passed. */
  problems: string[];
  domains: DomainDiff[];
  /** What it was compared with: the revision, and its release where it has one. */
  serving: { revision: string; release?: string } | null;
  /** The HTML page, relative to the project. */
  page: string | null;
  /** How telling others of a blocked release went. */
  told?: Delivery[];
  startedAt: string;
  endedAt: string;
}

export type Outputs = Inputs & Findings;

/** Compares. @throws with the findings as the resource's state when the release is blocked: no traffic has moved then, and none will. */
export async function create(inputs: Inputs): Promise<dynamic.CreateResult<Outputs>> {
  const id = `${inputs.service}/diffs/${inputs.release}`;
  return { id, outs: await compare(id, inputs) };
}

export async function update(id: string, _olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult<Outputs>> {
  return { outs: await compare(id, news) };
}

/** A comparison is about a moment; nothing live changes it. */
export async function read(id: string, props: Outputs): Promise<dynamic.ReadResult<Outputs>> {
  return { id, props };
}

export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  return { changes: hasToCompare(olds, news) };
}

/** Whether a release that was compared before is compared again: it was blocked, or skipped and isn't to be any more, or somebody asks for it. */
export function hasToCompare(olds: Outputs, news: Pick<Inputs, "skip" | "attempt">): boolean {
  if (!isPass(olds.verdict)) return true;
  if (olds.verdict === "SKIPPED" && !news.skip) return true;
  return (news.attempt ?? "") !== "" && news.attempt !== olds.attempt;
}

async function compare(id: string, inputs: Inputs): Promise<Outputs> {
  const startedAt = new Date().toISOString();
  const found = inputs.skip ? skipped() : await compareLive(inputs).catch(broken);
  const outs: Outputs = { ...inputs, ...found, startedAt, endedAt: new Date().toISOString() };
  console.log(`decision diff: ${outs.summary}`);
  if (isPass(outs.verdict)) return plain(outs);
  // Nothing has moved, so nothing waits for this but the error.
  announceLater(failed(subjectOf(inputs), `decision diff: ${outs.summary}`, outs.problems), inputs);
  outs.told = await collectDeliveries();
  throw Object.assign(new Error(outs.summary), { id, properties: plain(outs), reasons: [reason(outs)] });
}

type Compared = Omit<Findings, "startedAt" | "endedAt">;

const nothing = { problems: [], domains: [], serving: null, page: null };

function skipped(): Compared {
  return { ...nothing, verdict: "SKIPPED", summary: "skipped (skipTests)" };
}

function broken(error: unknown): Compared {
  const message = messageOf(error);
  return { ...nothing, verdict: "FAILED", summary: `could not compare: ${message}`, problems: [message] };
}

async function compareLive(inputs: Inputs): Promise<Compared> {
  const service = await new CloudRun({ endpoint: inputs.endpoint }).getService(inputs.service);
  if (service === undefined) throw new Error(`${inputs.service} doesn't exist`);
  // Loaded only where there is something to compare: every update waits for what is loaded to refresh.
  const [{ compareRelease }, { wayBackFrom }] = await Promise.all([import("./release.ts"), import("./way-back.ts")]);
  const from = await wayBackFrom(service, inputs);
  const signal = from && AbortSignal.timeout(WAY_BACK_MS);
  try {
    const onProgress = (message: string) => console.log(message);
    const compared = await compareRelease({ ...inputs, live: service, onProgress, signal });
    const page = compared.domains.length === 0 ? null : await writePage(inputs.release, compared);
    return { ...compared, page };
  } catch (error) {
    if (from === undefined) throw error;
    return { ...nothing, verdict: "PASSED", summary: notEnforced(error), serving: from };
  }
}

function notEnforced(error: unknown): string {
  return `could not compare: ${messageOf(error)}; not enforced, for it goes back to an ancestor of what serves`;
}

async function writePage(release: string, { serving, domains }: Pick<Compared, "serving" | "domains">) {
  const { renderHtml } = await import("./html.ts");
  const file = path.join(PAGES, `${release}.html`);
  await mkdir(PAGES, { recursive: true });
  const from = serving?.release ?? serving?.revision ?? "nothing";
  await writeFile(file, renderHtml({ from, to: release, at: new Date().toISOString() }, domains));
  return file;
}

/** The error of the update: what changes, and how to go on. */
function reason(outs: Outputs): string {
  const { release, summary, problems, page } = outs;
  return [
    `release ${release} is blocked by its decision diff: ${summary}`,
    ...problems.slice(0, 20).map((problem) => `  - ${problem}`),
    ...(page === null ? [] : [`The whole result is in ${page} and in the stack's state.`]),
    `It never had traffic; what served before serves on. ${isCompared(outs) ? DECLARE : GO_BACK}`,
  ].join("\n");
}

/** Whether the comparison tells something: otherwise it needn't be the release that is wrong. */
function isCompared({ serving, domains }: Outputs): boolean {
  return serving !== null && domains.every(({ inconclusive }) => inconclusive.length === 0);
}

const DECLARE =
  "Declare what is meant in policies/<domain>/expected-changes.yaml, or correct the policy; commit, and run `pulumi up` again.";

const GO_BACK =
  "If that is broken itself, go back first: `pulumi up -c release=HASH` to an earlier release, which no comparison holds up. Or let this one out without any test, on record: `pulumi up -c skipTests=true`, and `pulumi config rm skipTests` after it. Otherwise correct what is said above, and run `pulumi up` again.";
