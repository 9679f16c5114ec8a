import { recordOf } from "../../components/audit/record.ts";
import type { HistorySource } from "../../components/audit/source.ts";
import type { OpenedStack } from "../open.ts";
import { type Anchor, judgeAnchors } from "./anchors.ts";
import { verifyChain } from "./chain.ts";
import { type Item, itemOf } from "./item.ts";
import { readLiveHead } from "./live.ts";
import { judgeAbsence, judgeNewest } from "./newest.ts";
import { describeEntry, ordered, type Problem } from "./problem.ts";
import { readTaggedHeads } from "./tags.ts";

/** What verification found. Nothing wrong: `problems` is empty. */
export interface Verification {
  problems: Problem[];
  /** What an auditor should know, though nothing is wrong. */
  notes: string[];
  entries: number;
  /** Entries that no later record vouches for yet. */
  uncovered: number;
  /** The head of the chain over all entries. */
  head: string;
  /** Key of the newest entry; "" when there is none. */
  after: string;
  /** Who else confirmed a head: the service, tags. */
  confirmedBy: string[];
  /** The services that the stack is about, as far as its state names them. */
  place: { services: string[]; endpoint?: string };
}

const CANT_RULE_OUT = "truncation at the end can't be ruled out by the service";

/** Recomputes the chain, and compares it with the stack's state, the live service and signed tags. Only reads. */
export async function runVerification({ source, directory, project, stack }: OpenedStack): Promise<Verification> {
  const { items, foreign } = await readItems(source);
  const chain = verifyChain(items);
  const newest = items.at(-1);
  const place = items.findLast(({ facts }) => facts.services.length > 0)?.facts;
  const [live, tags, state, locks] = await Promise.all([
    Promise.all((place?.services ?? []).map((service) => readLiveHead(service, place?.endpoint))),
    readTaggedHeads(directory, project, stack),
    source.state(),
    source.locks(),
  ]);
  const anchors: Anchor[] = [...live.flatMap(({ anchor }) => anchor ?? []), ...tags.anchors];
  const earlier = items.flatMap((item) =>
    item.claims.map((claim) => ({ ...claim, source: `the service, as ${describeEntry(item)} found it,` })),
  );
  const left = recordOf(state)?.id;
  const unfinished = new Set(
    [...live.map(({ underWay }) => underWay), ...items.map(({ killed }) => killed)].filter((id) => id !== undefined),
  );
  const cut = await judgeState(source, newest, state, left, locks.length > 0);
  const problems = [
    ...foreign.map((name) => foreignFile(name)),
    ...items.flatMap(unreadable),
    ...chain.problems,
    ...judgeAbsence(items),
    ...judgeNewest(items, chain.uncoveredFrom),
    ...(await editedByHand(source, items.slice(chain.uncoveredFrom))),
    ...cut.problems,
    ...judgeAnchors(items, chain, [...anchors, ...earlier], new Set([...unfinished, ...cut.unfinished])),
  ];
  const unlinked = items.filter(({ facts }) => facts.recordProblem !== undefined);
  return {
    problems: ordered(problems),
    notes: [
      ...(items.length > 0 && live.length === 0 ? [`${CANT_RULE_OUT}: the state names none`] : []),
      ...live.flatMap(({ silent }) => (silent === undefined ? [] : `${CANT_RULE_OUT}: ${silent}`)),
      ...tags.notes,
      ...cut.notes,
      ...unlinked
        .slice(0, 3)
        .map((item) => `${describeEntry(item)} couldn't read the history: ${item.facts.recordProblem}`),
    ],
    entries: items.length,
    uncovered: items.length - chain.uncoveredFrom,
    head: chain.head.head,
    after: chain.head.after,
    confirmedBy: anchors.map(({ source: by }) => by),
    place: { services: place?.services ?? [], endpoint: place?.endpoint },
  };
}

async function readItems(source: HistorySource): Promise<{ items: Item[]; foreign: string[] }> {
  const { keys, foreign } = await source.list();
  const items: Item[] = [];
  const ahead = keys.slice(0, AHEAD).map((key) => source.read(key));
  for (let index = 0; index < keys.length; index++) {
    const entry = await (ahead.shift() as ReturnType<HistorySource["read"]>);
    const next = keys[index + AHEAD];
    if (next !== undefined) ahead.push(source.read(next));
    items.push(itemOf(entry, items.at(-1)));
  }
  return { items, foreign };
}

/** Entries that are read ahead of the one that is looked at. */
const AHEAD = 16;

function foreignFile(name: string): Problem {
  return {
    kind: "inserted",
    key: "",
    message: `${JSON.stringify(name)} lies among the entries, but Pulumi didn't write it`,
  };
}

function unreadable(item: Item): Problem[] {
  const { result, hasCheckpoint } = item.facts;
  if (result !== "unreadable" && hasCheckpoint) return [];
  const what = result === "unreadable" ? "isn't what Pulumi writes" : "has no readable checkpoint";
  return [{ kind: "unreadable", key: item.key, message: `${describeEntry(item)} ${what}` }];
}

async function editedByHand(source: HistorySource, items: Item[]): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const item of items) {
    if (await source.isAsWritten(item.key)) continue;
    problems.push({
      kind: "changed",
      key: item.key,
      message: `${describeEntry(item)} was changed: its files aren't as they were written`,
    });
  }
  return problems;
}

/** In a file or bucket the newest checkpoint is a copy of the state, so where they differ, something began and left no entry. */
async function judgeState(
  source: HistorySource,
  newest: Item | undefined,
  state: Buffer | undefined,
  left: string | undefined,
  locked: boolean,
): Promise<{ problems: Problem[]; notes: string[]; unfinished: string[] }> {
  const nothing = { problems: [], notes: [], unfinished: [] };
  if (source.kind === "cloud" || state === undefined) return nothing;
  const { deploymentOf, readDeployment } = await import("../facts.ts");
  const { sha256 } = await import("../../components/sha256.ts");
  if (newest !== undefined && sha256(state) === newest.content.checkpoint) return nothing;
  if (locked)
    return {
      ...nothing,
      notes: ["an update is under way, or was killed: the stack is locked"],
      unfinished: left === undefined ? [] : [left],
    };
  const { pending, gates } = readDeployment(deploymentOf(state) ?? {});
  const isNew = left !== undefined && left !== newest?.facts.recordId;
  if (isNew && (pending.length > 0 || gates.length === 0 || !hasConclusion(gates, newest))) {
    return { ...nothing, notes: ["the newest update was interrupted: it left no entry"], unfinished: [left] };
  }
  if (newest === undefined && !isNew) return nothing;
  const message = isNew
    ? "the state holds the outcome of an update that has no entry: the history was cut off at its end"
    : "the state isn't the one that the newest entry left: entries were removed at the end or the newest was changed, or the state was edited (pulumi state, pulumi stack import) or a refresh was killed";
  return { ...nothing, problems: [{ kind: "truncated", key: "", message }] };
}

/** Whether a gate gave a verdict that no entry has. */
function hasConclusion(
  gates: { verdict: string; stage: string; startedAt: string }[],
  newest: Item | undefined,
): boolean {
  return gates.some(({ verdict, stage, startedAt }) => {
    const isLater = newest === undefined || Date.parse(startedAt) > newest.facts.endedAt;
    return isLater && (verdict === "FAILED" || verdict === "OVERTAKEN" || stage === "live");
  });
}
