import type { Json } from "../../scenarios/scenario.ts";
import { type Decision, type DecisionClass, decisionClass } from "../classes.ts";
import type { Conditions } from "./conditions.ts";
import type { Evaluated, Evaluator } from "./evaluate.ts";
import {
  ABSENT,
  type Assignment,
  buildInput,
  type Field,
  type Fields,
  fieldsOf,
  placesAbove,
  type Value,
} from "./fields.ts";
import { Random } from "./random.ts";

/** An input that is decided differently. */
export interface Flip {
  class: DecisionClass;
  input: Json;
  from?: Decision;
  to?: Decision;
  failure?: string;
}

export interface SearchOptions {
  from: Evaluator;
  to: Evaluator;
  /** Of both policies. */
  conditions: Conditions[];
  /** Called with each flip. True: enough. */
  onFlip: (flip: Flip) => boolean;
  onProgress?: (inputs: number) => void;
  /** Until no more inputs are derived. */
  seconds: number;
  inputs: number;
  now?: number;
  seed?: number;
}

/** Inputs that are decided at a time. */
const BATCH = 256;
const SAMPLES = 256;
/** Rounds of exploring, and what is tried in each. */
const EXPLORATIONS = 8;
const EXPLORED = 64;
const CLIMBERS = 24;
const CHILDREN = 6;
const GENERATIONS = 14;

/**
 * Looks for inputs that two policies decide differently, knowing nothing but their conditions. From what each condition distinguishes it
 * assembles inputs, finds for each value (and each pair of named values) one that is allowed, and from those changes one thing at a time, then two: so each
 * condition is met and missed where nothing else decides. Returns how many inputs were decided.
 */
export async function searchFlips(options: SearchOptions): Promise<number> {
  const now = options.now ?? Math.floor(Date.now() / 1000) * 1000;
  const fields = fieldsOf(
    options.conditions.flatMap(({ conditions }) => conditions),
    now,
  );
  if (fields.fields.length === 0) return 0;
  const search = new Search(fields, now, options);
  await search.run();
  return search.inputs;
}

interface Trial {
  assignment: Assignment;
  cut?: string[];
}

interface Decided extends Trial {
  from: Evaluated;
  to: Evaluated;
}

/** A change to an assignment: some fields get other values, or a whole place is cut out. */
interface Change {
  set: [number, Value][];
  cut?: string[];
}

class Search {
  inputs = 0;
  readonly #fields: readonly Field[];
  readonly #linked: readonly number[][];
  readonly #changes: Change[];
  readonly #now: number;
  readonly #options: SearchOptions;
  readonly #random: Random;
  readonly #tried = new Set<string>();
  readonly #deadline: number;
  /** Allowed inputs, by what they were looked for with. */
  readonly #seeds = new Map<string, Assignment>();
  readonly #alike = new Map<string, { assignment: Assignment; visits: number }>();
  #enough = false;

  constructor({ fields, linked }: Fields, now: number, options: SearchOptions) {
    this.#fields = fields;
    this.#linked = linked;
    this.#now = now;
    this.#options = options;
    this.#random = new Random(options.seed ?? 1);
    this.#deadline = performance.now() + options.seconds * 1000;
    this.#changes = [
      ...fields.flatMap(({ usual, odd }, index) =>
        [...usual, ...odd].map((value): Change => ({ set: [[index, value]] })),
      ),
      // What is compared with each other is also changed together: two that are missing, or odd in the same way.
      ...linked.flatMap((indices) =>
        [...new Set(indices.flatMap((index) => [...(fields[index]?.usual ?? []), ...(fields[index]?.odd ?? [])]))].map(
          (value): Change => ({ set: indices.map((index) => [index, value]) }),
        ),
      ),
      ...placesAbove(fields).map((cut): Change => ({ set: [], cut })),
    ];
  }

  get #done(): boolean {
    return this.#enough || this.inputs >= this.#options.inputs || performance.now() > this.#deadline;
  }

  async run(): Promise<void> {
    await this.#decide([{ assignment: this.#fields.map(() => ABSENT) }]);
    await this.#sample();
    await this.#explore(EXPLORATIONS);
    await this.#climb(
      Array.from({ length: CLIMBERS }, () => ({ pins: [], start: this.#assignment(0.95) })),
      GENERATIONS,
    );
    await this.#vary([...this.#seeds.values()].slice(0, 8));
    await this.#reach(this.#singlePins());
    await this.#vary([...this.#seeds.values()]);
    await this.#reach(this.#pairedPins());
    await this.#vary([...this.#seeds.values()]);
    await this.#vary([...this.#seeds.values()], 2);
  }

  /** A random assignment; `usual` of the values are ones that the policies mean. */
  #assignment(usual: number): Assignment {
    const assignment = this.#fields.map((field) =>
      this.#random.pick(this.#random.next() < usual ? field.usual : field.odd),
    );
    // What is compared is as often equal as not, whatever the number of values.
    for (const indices of this.#linked) if (this.#random.next() < 0.5) this.#equalise(assignment, indices);
    return assignment;
  }

  #equalise(assignment: Value[], indices: number[]): void {
    const value = assignment[this.#random.pick(indices)] as Value;
    const isList = Array.isArray(value);
    for (const index of indices) {
      const listed = Array.isArray(assignment[index]);
      if (listed === isList) assignment[index] = value;
      else assignment[index] = listed ? [value as Json] : ((value as Json[])[0] ?? ABSENT);
    }
  }

  async #sample(): Promise<void> {
    await this.#decide(Array.from({ length: SAMPLES }, () => ({ assignment: this.#assignment(0.9) })));
  }

  /**
   * Goes on from what is rare: inputs that both policies treat as they have treated few others. What can only be reached in several steps, each of which
   * changes no decision, is found that way.
   */
  async #explore(rounds: number): Promise<void> {
    for (let round = 0; round < rounds && !this.#done; round++) {
      const known = [...this.#alike.values()].sort((a, b) => a.visits - b.visits).slice(0, EXPLORED);
      if (known.length === 0) return;
      const children = Array.from({ length: EXPLORED }, (_, index) => {
        const parent = known[index % known.length] as { assignment: Assignment; visits: number };
        parent.visits += 1;
        return { assignment: this.#child(parent.assignment, []) };
      });
      await this.#decide(children);
    }
  }

  /** Remembers one input of each signature, and how often it came. */
  #remember({ assignment, cut, from, to }: Decided): void {
    if (cut !== undefined || "failure" in from || "failure" in to) return;
    const key = `${from.signature}${to.signature}`;
    const known = this.#alike.get(key);
    if (known !== undefined) known.visits += 0.1;
    else {
      this.#alike.set(key, { assignment, visits: 0 });
      if (from.decision.allow || to.decision.allow) this.#keepSeed(assignment, []);
    }
  }

  /** Every value of every field that no allowed input has yet. */
  #singlePins(): [number, Value][][] {
    return this.#fields.flatMap((field, index) => field.usual.map((value): [number, Value][] => [[index, value]]));
  }

  /** Every pair of values of two fields that name things: which action and which persona, say. */
  #pairedPins(): [number, Value][][] {
    const named = this.#fields.flatMap((field, index) => (field.named ? [index] : []));
    return named.flatMap((a, at) =>
      named.slice(at + 1).flatMap((b) =>
        (this.#fields[a]?.usual ?? []).flatMap((x) =>
          (this.#fields[b]?.usual ?? []).map((y): [number, Value][] => [
            [a, x],
            [b, y],
          ]),
        ),
      ),
    );
  }

  /** Looks for an allowed input with the given values, starting from those that are allowed already. */
  async #reach(pins: [number, Value][][]): Promise<void> {
    const starts = [...this.#seeds.values()];
    if (starts.length === 0) return;
    const climbers = pins
      .filter((pin) => !this.#seeds.has(keyOf(pin)))
      .map((pin) => ({ pins: pin, start: withChange(this.#random.pick(starts), { set: pin }) }));
    for (let at = 0; at < climbers.length && !this.#done; at += 48) await this.#climb(climbers.slice(at, at + 48), 5);
  }

  /**
   * Changes inputs step by step towards being allowed, on either side. How far one has come is how many of the policy's own conditions hold, or,
   * for policies that list what speaks against, how few.
   */
  async #climb(starts: { pins: [number, Value][]; start: Assignment }[], generations: number): Promise<void> {
    let climbers = starts.map(({ pins, start }, index) => ({
      pins,
      assignment: start,
      score: Number.NEGATIVE_INFINITY,
      direction: [1, 1, -1, 0][index % 4] as number,
    }));
    for (let generation = 0; generation < generations && climbers.length > 0 && !this.#done; generation++) {
      const families = climbers.map((climber) => [
        ...(generation === 0 ? [climber.assignment] : []),
        ...Array.from({ length: CHILDREN }, () => this.#child(climber.assignment, climber.pins)),
      ]);
      const decided = await this.#decide(
        families.flat().map((assignment) => ({ assignment })),
        true,
      );
      let at = 0;
      for (const [index, climber] of climbers.entries()) {
        for (const child of decided.slice(at, at + (families[index]?.length ?? 0))) {
          const score = scoreOf(child, climber.direction);
          if (score >= climber.score) Object.assign(climber, { score, assignment: child.assignment });
        }
        at += families[index]?.length ?? 0;
      }
      for (const { pins, assignment, score } of climbers) if (score >= ALLOWED) this.#keepSeed(assignment, pins);
      climbers = climbers.filter(({ score }) => score < ALLOWED);
    }
  }

  #child(assignment: Assignment, pins: [number, Value][]): Assignment {
    const pinned = new Set(pins.map(([index]) => index));
    const free = this.#fields.flatMap((_, index) => (pinned.has(index) ? [] : [index]));
    const child = [...assignment];
    const count = this.#random.next() < 0.6 ? 1 : 2;
    for (let change = 0; change < count && free.length > 0; change++) {
      const index = this.#random.pick(free);
      child[index] = this.#random.pick((this.#fields[index] as Field).usual);
    }
    const groups = this.#linked.filter((indices) => !indices.some((index) => pinned.has(index)));
    if (groups.length > 0 && this.#random.next() < 0.3) this.#equalise(child, this.#random.pick(groups));
    return child;
  }

  #keepSeed(assignment: Assignment, pins: [number, Value][]): void {
    if (pins.length > 0) this.#seeds.set(keyOf(pins), assignment);
    else this.#seeds.set(`free ${this.#seeds.size}`, assignment);
    // It stands for each of its values too.
    for (const [index, value] of assignment.entries()) {
      const key = keyOf([[index, value]]);
      if (!this.#seeds.has(key) && this.#fields[index]?.named === true) this.#seeds.set(key, assignment);
    }
  }

  /** Every single change of each seed, those of all seeds in turn; or as many random pairs of changes as there is time for. */
  async #vary(seeds: Assignment[], together = 1): Promise<void> {
    const distinct = [...new Set(seeds)];
    if (distinct.length === 0) return;
    let batch: Trial[] = [];
    const add = async (trial: Trial) => {
      batch.push(trial);
      if (batch.length < BATCH) return;
      await this.#decide(batch);
      batch = [];
    };
    if (together === 1) {
      for (const seed of distinct) {
        for (const change of this.#changes) {
          if (this.#done) return;
          await add(trialOf(seed, [change]));
        }
      }
    } else {
      while (!this.#done) {
        const before = this.#tried.size;
        for (let tries = 0; tries < BATCH * 4; tries++) {
          const changes = [this.#random.pick(this.#changes), this.#random.pick(this.#changes)];
          await add(trialOf(this.#random.pick(distinct), changes));
        }
        if (this.#tried.size === before) break;
      }
    }
    await this.#decide(batch);
  }

  /** Decides on both sides what wasn't tried before (`again`: that too), reports flips, and returns the results in order. */
  async #decide(trials: Trial[], again = false): Promise<Decided[]> {
    const fresh: { trial: Trial; input: Json }[] = [];
    for (const trial of trials) {
      const input = buildInput(this.#fields, trial.assignment, trial.cut);
      const key = JSON.stringify(input);
      if (this.#tried.has(key) && !again) continue;
      this.#tried.add(key);
      fresh.push({ trial, input });
    }
    if (fresh.length === 0 || this.#enough || (this.#done && this.inputs > 0)) return [];
    const inputs = fresh.map(({ input }) => input);
    const [from, to] = await Promise.all([
      this.#options.from.evaluate(inputs, this.#now),
      this.#options.to.evaluate(inputs, this.#now),
    ]);
    this.inputs += inputs.length;
    this.#options.onProgress?.(this.inputs);
    return fresh.map(({ trial, input }, index) => {
      const decided = { ...trial, from: from[index] as Evaluated, to: to[index] as Evaluated };
      const flip = flipOf(input, decided.from, decided.to);
      this.#remember(decided);
      if (flip !== undefined && this.#options.onFlip(flip)) this.#enough = true;
      return decided;
    });
  }
}

const ALLOWED = 1_000;

function scoreOf({ from, to }: Decided, direction: number): number {
  const one = (side: Evaluated) =>
    "failure" in side
      ? Number.NEGATIVE_INFINITY
      : (side.decision.allow ? ALLOWED * 2 : 0) + direction * side.facts - 0.3 * side.decision.reasons.length;
  return Math.max(one(from), one(to));
}

/** How two sides differ about an input. */
export function flipOf(input: Json, from: Evaluated, to: Evaluated): Flip | undefined {
  if ("failure" in from) return undefined;
  if ("failure" in to) return { class: "error", input, from: from.decision, failure: to.failure };
  const kind = decisionClass(from.decision, to.decision);
  return kind === undefined ? undefined : { class: kind, input, from: from.decision, to: to.decision };
}

function trialOf(seed: Assignment, changes: Change[]): Trial {
  const cut = changes.find((change) => change.cut !== undefined)?.cut;
  const assignment = changes.reduce<Assignment>(withChange, seed);
  return cut === undefined ? { assignment } : { assignment, cut };
}

function withChange(assignment: Assignment, { set }: Change): Assignment {
  const changed = [...assignment];
  for (const [index, value] of set) changed[index] = value;
  return changed;
}

function keyOf(pins: [number, Value][]): string {
  return pins.map(([index, value]) => `${index}=${value === ABSENT ? "absent" : JSON.stringify(value)}`).join("&");
}
