import { type Module, type Node, type Rule, SourceText, type Span } from "./ast.ts";

/**
 * What a mutant does to one condition. Always made: `remove` it, `negate` it, `invert` a comparison (== !=, < >=, > <=), `default`
 * and `boolean` flip a constant. Thorough only: `boundary` (< <=, > >=), and `member` drops one member of a list or set.
 */
export type MutantKind = "remove" | "negate" | "invert" | "default" | "boolean" | "boundary" | "member";

/** One changed place of one file. */
export type Mutant = {
  kind: MutantKind;
  /** The rule it is in, as written in its head. */
  rule: string;
  line: number;
  /** The condition (or constant) as it was, and as it is, on one line. */
  before: string;
  after: string;
  /** The whole mutated file. */
  source: string;
};

const INVERTED: Record<string, string> = { "==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">" };
const BOUNDARY: Record<string, string> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };
const COMPARISONS = new Set(["equal", "neq", "lt", "gt", "lte", "gte"]);

/** Every single-condition mutant of a module, in source order. Whether one compiles, only OPA knows. */
export function mutantsOf(module: Module, text: string, options: { thorough: boolean }): Mutant[] {
  const collector = new Collector(text, options.thorough);
  for (const rule of module.rules ?? []) {
    collector.rule(rule);
  }
  return collector.found.toSorted((a, b) => a.start - b.start).map(({ mutant }) => mutant);
}

/** Whether mutants of this kind are made. */
export function isMade(kind: MutantKind, options: { thorough: boolean }): boolean {
  return options.thorough || !(kind === "boundary" || kind === "member");
}

/** A condition's text as it is compared and shown: white space doesn't matter. */
export function normalise(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

class Collector {
  readonly found: { start: number; mutant: Mutant }[] = [];
  readonly #source: SourceText;
  readonly #thorough: boolean;
  readonly #seen = new Set<string>();
  #rule = "";

  constructor(text: string, thorough: boolean) {
    this.#source = new SourceText(text);
    this.#thorough = thorough;
  }

  rule(rule: Rule): void {
    this.#rule = this.#nameOf(rule);
    if (rule.default) {
      this.#flip(rule.head.value as Node, "default");
      return;
    }
    // A constant in a function's head is a condition on its argument.
    for (const argument of rule.head.args ?? []) {
      this.#pattern(argument);
    }
    this.#headCondition(rule.head.value as Node | undefined);
    this.#term(rule.head.key);
    this.#term(rule.head.value);
    this.#body(rule.body);
    if (rule.else !== undefined) {
      this.rule(rule.else);
    }
  }

  #nameOf(rule: Rule): string {
    const name = rule.head.name ?? rule.head.ref?.map((part) => String(part.value)).join(".") ?? "?";
    const key = this.#source.spanOf(rule.head.key)?.text;
    return key === undefined ? name : `${name}[${normalise(key)}]`;
  }

  #body(body: Node[] | undefined): void {
    for (const expression of body ?? []) {
      if (!expression.generated) {
        this.#expression(expression);
      }
    }
  }

  #expression(expression: Node): void {
    const terms = expression.terms as (Node & { symbols?: Node[]; domain?: Node }) | Node[] | undefined;
    const symbols = Array.isArray(terms) ? undefined : terms?.symbols;
    // `some x` declares, `some x in xs` also asks whether there is one.
    if (symbols === undefined || symbols[0]?.type === "call") {
      this.#condition(expression);
    }
    this.#term(expression.terms);
    this.#term((expression as { with?: unknown }).with);
  }

  #condition(expression: Node): void {
    const span = this.#source.spanOf(expression);
    if (span === undefined) {
      // Leaving one out in silence would claim more than was tried.
      throw new Error(
        `OPA's place of a condition in ${this.#rule}, line ${expression.location?.row}, isn't in the source.`,
      );
    }
    this.#add("remove", span, "true");
    // A comprehension negates what `not` can't: `every`, `some … in`, and conditions with variables of their own.
    const negation = expression.negated ? span.text.replace(/^not\b\s*/, "") : `count([true | ${span.text}]) == 0`;
    this.#add("negate", span, negation, expression.negated ? normalise(negation) : `not ${normalise(span.text)}`);
  }

  /** `rule := a == b` and `rule := a in b` are conditions, although in a head. */
  #headCondition(value: Node | undefined): void {
    const operator = operatorOf(value?.type === "call" ? value.value : undefined);
    const span = this.#source.spanOf(value);
    if (operator === undefined || span === undefined || !(COMPARISONS.has(operator) || operator === "internal")) {
      return;
    }
    this.#add("remove", span, "true");
    this.#add("negate", span, `count([true | ${span.text}]) == 0`, `not ${normalise(span.text)}`);
  }

  #pattern(argument: Node): void {
    const span = this.#source.spanOf(argument);
    if (span !== undefined && ["string", "number", "boolean", "null"].includes(argument.type ?? "")) {
      this.#add("remove", span, "_");
    } else {
      this.#term(argument);
    }
  }

  /** Walks whatever may hold conditions: comprehensions, `every`, nested calls and references, collections. */
  #term(node: unknown): void {
    if (Array.isArray(node)) {
      this.#operator(node);
      for (const item of node) {
        this.#term(item);
      }
    } else if (typeof node === "object" && node !== null) {
      const { location: _, body, ...rest } = node as Node;
      this.#flip(node, "boolean");
      this.#members(node);
      for (const child of Object.values(rest)) {
        this.#term(child);
      }
      this.#body(body);
    }
  }

  #operator(terms: Node[]): void {
    const span = this.#source.spanOf(terms[0]);
    if (span === undefined || !COMPARISONS.has(operatorOf(terms) ?? "")) {
      return;
    }
    const [left, right] = [this.#source.spanOf(terms[1])?.text ?? "…", this.#source.spanOf(terms[2])?.text ?? "…"];
    const show = (operator: string) => normalise(`${left} ${operator} ${right}`);
    const inverted = INVERTED[span.text];
    const boundary = BOUNDARY[span.text];
    if (inverted !== undefined) {
      this.#add("invert", span, inverted, show(inverted), show(span.text));
    }
    if (this.#thorough && boundary !== undefined) {
      this.#add("boundary", span, boundary, show(boundary), show(span.text));
    }
  }

  #flip(node: Node | undefined, kind: "default" | "boolean"): void {
    const span = node?.type === "boolean" ? this.#source.spanOf(node) : undefined;
    if (span?.text === "true" || span?.text === "false") {
      this.#add(kind, span, String(span.text === "false"));
    }
  }

  #members(node: Node): void {
    const span = this.#source.spanOf(node);
    if (!this.#thorough || span === undefined || !(node.type === "array" || node.type === "set")) {
      return;
    }
    const members = (node.value as Node[]).map((member) => this.#source.spanOf(member));
    const [open, close] = node.type === "array" ? ["[", "]"] : ["{", "}"];
    if (
      members.length === 0 ||
      members.some((member) => member === undefined) ||
      !span.text.endsWith(close as string)
    ) {
      return;
    }
    const ordered = members.filter((member) => member !== undefined).sort((a, b) => a.start - b.start);
    for (const dropped of ordered) {
      const kept = ordered.filter((member) => member !== dropped).map((member) => member.text);
      const replacement = kept.length === 0 && node.type === "set" ? "set()" : `${open}${kept.join(", ")}${close}`;
      this.#add("member", span, replacement, `without ${normalise(dropped.text)}`);
    }
  }

  #add(kind: MutantKind, span: Span, replacement: string, after = replacement, before = span.text): void {
    const identity = `${span.start}-${span.end}:${replacement}`;
    if (this.#seen.has(identity) || span.text === replacement) {
      return;
    }
    this.#seen.add(identity);
    this.found.push({
      start: span.start,
      mutant: {
        kind,
        rule: this.#rule,
        line: this.#source.lineAt(span.start),
        before: normalise(before),
        after: normalise(after),
        source: this.#source.replace(span, replacement),
      },
    });
  }
}

/** The operator of a call: `equal`, `lt`, …, or `internal` for `in`. */
function operatorOf(terms: unknown): string | undefined {
  const first = Array.isArray(terms) ? (terms[0] as Node | undefined) : undefined;
  const name = first?.type === "ref" && Array.isArray(first.value) ? (first.value[0] as Node) : undefined;
  return typeof name?.value === "string" ? name.value : undefined;
}
