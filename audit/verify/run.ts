import type { HistorySource } from "../../components/audit/source.ts";
import { missingStack, type OpenedStack } from "../open.ts";
import { type Anchor, judgeAnchors } from "./anchors.ts";
import { verifyChain } from "./chain.ts";
import { type Item, itemOf } from "./item.ts";
import { type LiveHead, readLiveHead } from "./live.ts";
import { judgeAbsence, judgeNewest } from "./newest.ts";
import { describeEntry, ordered, type Problem } from "./problem.ts";
import { judgeState } from "./state.ts";
import { readTaggedHeads } from "./tags.ts";
import { CANT_RULE_OUT, chooseWitnesses, namedIn, readConfigured } from "./witnesses.ts";

/** UNDECIDED: nothing is plainly wrong, but whether an entry is missing can't be told yet. Only VERIFIED is good. */
export type Verdict = "VERIFIED" | "UNDECIDED" | "NOT VERIFIED";

/** What verification found. */
export interface Verification {
  verdict: Verdict;
  problems: Problem[];
  /** What can't be decided: what is known, what it may be, and what to do. */
  undecided: string[];
  /** What an auditor should know, though nothing is wrong. */
  notes: string[];
  /** Why the history may not be at its end, in the notes too: an update is under way, or was killed. */
  unsettled: string[];
  entries: number;
  /** Entries that no later record vouches for yet. */
  uncovered: number;
  /** The head of the chain over all entries. */
  head: string;
  /** Key of the newest entry; "" when there is none. */
  after: string;
  /** Who else confirmed a head: the service, tags. */
  confirmedBy: string[];
  /** The stack's own services, and what each of them said. */
  services: LiveHead[];
}

/**
 * Recomputes the chain, and compares it with the stack's state, the live service and signed tags. Only reads.
 * @throws an Error when there is no such stack, and nobody knows of one
 */
export async function runVerification(opened: OpenedStack): Promise<Verification> {
  const { source, directory, project, stack } = opened;
  const [{ items, foreign }, configured] = await Promise.all([readItems(source), readConfigured(directory, stack)]);
  const chain = verifyChain(items);
  const witnesses = chooseWitnesses(configured, namedIn(items));
  const [live, tags, state, missing] = await Promise.all([
    Promise.all(witnesses.ask.map(readLiveHead)),
    readTaggedHeads(directory, project, stack),
    judgeState(source, items.at(-1)),
    items.length === 0 ? missingStack(opened) : undefined,
  ]);
  const own = live.filter(({ isOwn }) => isOwn);
  const anchors = [...live.flatMap(anchorOf), ...tags.anchors, ...items.flatMap(claimsOf)];
  const unfinished = [...own.map(({ underWay }) => underWay), ...items.map(({ killed }) => killed)];
  const known = new Set(unfinished.filter((id) => id !== undefined));
  const witnessed = judgeAnchors(items, chain, anchors, { known, claimed: state.unfinished });
  const problems = [
    ...foreign.map((name) => foreignFile(name)),
    ...items.flatMap(unreadable),
    ...chain.problems,
    ...judgeAbsence(items),
    ...judgeNewest(items, chain.uncoveredFrom),
    ...(await editedByHand(source, items.slice(chain.uncoveredFrom))),
    ...witnesses.problems,
    ...state.problems,
    ...witnessed.problems,
  ];
  if (missing !== undefined && problems.length === 0) throw new Error(missing);
  const undecided = [...witnessed.undecided, ...state.undecided];
  const unnamed = items.length > 0 && live.length + witnesses.notes.length === 0;
  return {
    verdict: problems.length > 0 ? "NOT VERIFIED" : undecided.length > 0 ? "UNDECIDED" : "VERIFIED",
    problems: ordered(problems),
    undecided,
    notes: [
      ...(missing === undefined ? [] : [missing]),
      ...(unnamed ? [`${CANT_RULE_OUT}: the state names none`] : []),
      ...witnesses.notes,
      ...own.flatMap(({ silent }) => (silent === undefined ? [] : `${CANT_RULE_OUT}: ${silent}`)),
      ...tags.notes,
      ...state.unsettled,
      ...unlinked(items),
    ],
    unsettled: state.unsettled,
    entries: items.length,
    uncovered: items.length - chain.uncoveredFrom,
    head: chain.head.head,
    after: chain.head.after,
    confirmedBy: [...own.flatMap(anchorOf), ...tags.anchors].map(({ source: by }) => by),
    services: own,
  };
}

function anchorOf({ head, source }: LiveHead): Anchor[] {
  return head === undefined ? [] : [{ ...head, source }];
}

/** What the service said before, as the updates kept it that replaced it. */
function claimsOf(item: Item): Anchor[] {
  return item.claims.map((claim) => ({ ...claim, source: `the service, as ${describeEntry(item)} found it,` }));
}

/** Updates that couldn't read the history, so that their records hold nothing of it. */
function unlinked(items: Item[]): string[] {
  const all = items.filter(({ facts }) => facts.recordProblem !== undefined);
  return all.slice(0, 3).map((item) => `${describeEntry(item)} couldn't read the history: ${item.facts.recordProblem}`);
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
