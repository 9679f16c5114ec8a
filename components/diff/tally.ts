import type { Json } from "../scenarios/scenario.ts";
import { CLASSES, type Decision, type DecisionClass, reasonOf } from "./classes.ts";
import { type ExpectedChange, isDeclared, valueAt } from "./expected.ts";
import { Histogram } from "./histogram.ts";
import { redact, type Vocabulary } from "./redact.ts";
import type { DiffCounts, Example, Group } from "./result.ts";

/** Where an input says who asks, by domain. */
export const PERSONA = ["context.principal.persona_title", "context.principal.role", "subject.persona", "subject.type"];
/** Bounds on what is kept, so that a result has the same size for any corpus. */
const EXAMPLES = 20;
const GROUPS = 500;
const OTHERS = "(others)";

/** One change of one input. */
export interface Change {
  class: DecisionClass;
  input: Json;
  from?: Decision | undefined;
  to?: Decision | undefined;
  failure?: string | undefined;
  /** File and line, or how a search found it. */
  source: string;
}

/** Counts changes as they come. Its memory doesn't grow with their number. */
export class Tally {
  inputs = 0;
  malformed = 0;
  otherPackages = 0;
  unanswered = 0;
  unstable = 0;
  repeatedErrors = 0;
  readonly allowed = { from: 0, to: 0 };
  readonly latency = { from: new Histogram(), to: new Histogram() };
  readonly counts: DiffCounts = zero();
  readonly declared: DiffCounts = zero();
  readonly matched: number[];
  readonly examples: Example[] = [];
  readonly malformedLines: string[] = [];
  readonly #groups = new Map<string, Group>();
  readonly #expected: readonly ExpectedChange[];
  readonly #vocabulary: Vocabulary | undefined;
  readonly #exampleLimit: number;

  /** @param vocabulary without one nothing is redacted: for inputs that were made up */
  constructor(expected: readonly ExpectedChange[], vocabulary: Vocabulary | undefined, examples = EXAMPLES) {
    this.#expected = expected;
    this.#vocabulary = vocabulary;
    this.#exampleLimit = examples;
    this.matched = expected.map(() => 0);
  }

  addMalformed(where: string, why: string): void {
    this.malformed += 1;
    if (this.malformedLines.length < 5) this.malformedLines.push(`${where}: ${why}`);
  }

  add(change: Change): void {
    const { class: kind, input, from, to } = change;
    this.counts[kind] += 1;
    const index =
      from === undefined || to === undefined
        ? -1
        : this.#expected.findIndex((expected) => isDeclared(expected, kind, input, from, to));
    if (index >= 0) {
      this.declared[kind] += 1;
      this.matched[index] = (this.matched[index] ?? 0) + 1;
    }
    const persona = this.#persona(input);
    this.#group(kind, change.failure ?? reasonOf(kind, from, to), persona);
    this.#keep({ ...change, persona, declared: index >= 0 });
  }

  /** Groups, largest first. */
  get groups(): Group[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count || a.class.localeCompare(b.class));
  }

  #persona(input: Json): string {
    for (const at of PERSONA) {
      const found = valueAt(input, at);
      if (typeof found === "string") return this.#vocabulary?.has(found) === false ? "(unknown)" : found;
    }
    return "(none)";
  }

  #group(kind: DecisionClass, reason: string, persona: string): void {
    const full = this.#groups.size >= GROUPS && !this.#groups.has(`${kind}|${reason}|${persona}`);
    const [why, who] = full ? [OTHERS, OTHERS] : [reason, persona];
    const key = `${kind}|${why}|${who}`;
    const group = this.#groups.get(key) ?? { class: kind, reason: why, persona: who, count: 0 };
    group.count += 1;
    this.#groups.set(key, group);
  }

  /** The gravest changes are worth showing most: an example of a lesser class makes room, and each kind of change is shown once before one is shown twice. */
  #keep(change: Change & { persona: string; declared: boolean }): void {
    const rank = (example: { class: DecisionClass; declared: boolean }) =>
      CLASSES.indexOf(example.class) + (example.declared ? CLASSES.length : 0);
    const kind = `${change.class}|${reasonOf(change.class, change.from, change.to)}|${change.persona}`;
    const alike = this.examples.filter((example) => example.kind === kind).length;
    if (this.examples.length >= this.#exampleLimit) {
      const score = (example: { class: DecisionClass; declared: boolean }, twins: number) =>
        twins * 100 + rank(example);
      const twins = (example: Example) => this.examples.filter(({ kind: other }) => other === example.kind).length - 1;
      const worst = this.examples.reduce((a, b) => (score(b, twins(b)) > score(a, twins(a)) ? b : a));
      if (score(worst, twins(worst)) <= score(change, alike)) return;
      this.examples.splice(this.examples.indexOf(worst), 1);
    }
    const { input, persona, declared, class: name, source, from, to, failure } = change;
    const shown = {
      kind,
      class: name,
      declared,
      persona,
      source,
      input: this.#vocabulary === undefined ? input : redact(input, this.#vocabulary),
    };
    this.examples.push({
      ...shown,
      ...(from && { from }),
      ...(to && { to }),
      ...(failure !== undefined && { failure }),
    });
  }
}

function zero(): DiffCounts {
  return Object.fromEntries(CLASSES.map((name) => [name, 0])) as DiffCounts;
}
