import { performance } from "node:perf_hooks";
import { CLASSES, reasonOf } from "../classes.ts";
import { type ExpectedChange, isDeclared, valueAt } from "../expected.ts";
import { type OnProgress, progress } from "../progress.ts";
import type { SearchResult } from "../result.ts";
import { PERSONA, Tally } from "../tally.ts";
import { readSource, type Source, textOfDomain } from "./ast.ts";
import { conditionsOf } from "./conditions.ts";
import { startEvaluator } from "./evaluate.ts";
import { type Flip, flipOf, searchFlips } from "./search.ts";
import { shrink } from "./shrink.ts";

/** Changes of different kinds that are kept, and those that are made as small as they can be. */
const KINDS = 500;
const SHRUNK = 20;
const ACTION = "action.name";

/** A policy directory and the package that is asked. */
export interface Policy {
  directory: string;
  packageName: string;
}

/** How long a search may take. */
export interface SearchLimits {
  seconds: number;
  inputs: number;
}

export interface SearchArgs {
  domain: string;
  from: Policy;
  to: Policy;
  expected: readonly ExpectedChange[];
  limits: SearchLimits;
  onProgress?: OnProgress;
}

/**
 * Who can do what under the second policy and couldn't under the first, and the other way round, from the policies alone. Policies that are the
 * same but for comments are not searched.
 */
export async function findNewAccess(args: SearchArgs): Promise<{ result: SearchResult; matched: number[] }> {
  const started = performance.now();
  const { domain, from, to, expected } = args;
  const [before, after] = await Promise.all([readSource(from.directory), readSource(to.directory)]);
  const tally = new Tally(expected, undefined);
  const inputs =
    textOfDomain(before, domain) === textOfDomain(after, domain) && from.packageName === to.packageName
      ? 0
      : await search(args, before, after, tally);
  const { counts, declared, examples, matched } = tally;
  const seconds = Math.round(performance.now() - started) / 1000;
  return { result: { inputs, counts, declared, examples, seconds }, matched };
}

async function search(
  { from, to, expected, limits, onProgress }: SearchArgs,
  before: Source,
  after: Source,
  tally: Tally,
): Promise<number> {
  const conditions = [conditionsOf(before, from.packageName), conditionsOf(after, to.packageName)] as const;
  await using serving = await startEvaluator(from.directory, from.packageName, conditions[0].facts);
  await using candidate = await startEvaluator(to.directory, to.packageName, conditions[1].facts);
  const now = Math.floor(Date.now() / 1000) * 1000;
  const found = new Map<string, Flip>();
  const report = progress(onProgress);
  const inputs = await searchFlips({
    ...{ from: serving, to: candidate, conditions: [...conditions], now, ...limits },
    onProgress: (done) => report(done, limits.inputs),
    onFlip: (flip) => {
      const kind = kindOf(flip, expected);
      if (found.size < KINDS && !found.has(kind)) found.set(kind, flip);
      return false;
    },
  });
  const flips = [...found.values()].sort((a, b) => rank(a, expected) - rank(b, expected));
  const shown = await shrink(
    flips.slice(0, SHRUNK),
    async (candidates) => {
      const documents = candidates.map(({ input }) => input);
      const [a, b] = await Promise.all([serving.evaluate(documents, now), candidate.evaluate(documents, now)]);
      return candidates.map(({ input, of }, index) => {
        const flip = flipOf(input, a[index] as never, b[index] as never);
        return flip !== undefined && kindOf(flip, expected) === kindOf(of, expected) ? flip : undefined;
      });
    },
    [...PERSONA, ACTION],
  );
  for (const { class: kind, ...flip } of [...shown, ...flips.slice(SHRUNK)]) {
    tally.add({ class: kind, ...flip, source: "derived from the policies" });
  }
  return inputs;
}

/** Flips of a kind are the same change: same class, reasons, persona and action, declared by the same entry. */
function kindOf(flip: Flip, expected: readonly ExpectedChange[]): string {
  const { class: kind, input, from, to, failure } = flip;
  const persona = PERSONA.map((at) => valueAt(input, at)).find((value) => value !== undefined);
  const about = [failure ?? reasonOf(kind, from, to), persona, valueAt(input, ACTION), declaredBy(flip, expected)];
  return JSON.stringify([kind, ...about]);
}

function declaredBy({ class: kind, input, from, to }: Flip, expected: readonly ExpectedChange[]): number {
  if (from === undefined || to === undefined) return -1;
  return expected.findIndex((change) => isDeclared(change, kind, input, from, to));
}

function rank(flip: Flip, expected: readonly ExpectedChange[]): number {
  return CLASSES.indexOf(flip.class) + (declaredBy(flip, expected) >= 0 ? CLASSES.length : 0);
}
