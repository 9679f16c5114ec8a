import { type Module, type Node, packageOf, type Rule, type Source } from "./ast.ts";
import { bounded, fromData, keysOf, leavesOf, type Meaning, memberOf, membersOf, readAs } from "./meaning.ts";

/** Things that a condition brings together: whatever of the input it reads, and the constants beside it. */
export interface Condition {
  paths: { path: string[]; as: "raw" | "date" | "number" | "text" | "length" }[];
  constants: (string | number | boolean | null)[];
}

/** Calls into functions and rules of the policy are followed this deep. */
const DEPTH = 12;

type Environment = Map<string, Meaning[]>;

/** `name` is `package.rule`; of a `countable` rule each member is a fact. */
export interface Fact {
  name: string;
  countable: boolean;
}

export interface Conditions {
  conditions: Condition[];
  /** Rules whose own bodies ask about the input: how many of them hold tells how far an input has come. */
  facts: Fact[];
}

/** Every condition that `allow` and `reasons` of a package put to the input, with the names that the policy gives to parts of it resolved. */
export function conditionsOf(source: Source, packageName: string): Conditions {
  return new Reader(source).read([`${packageName}.allow`, `${packageName}.reasons`]);
}

class Reader {
  readonly #source: Source;
  readonly #rules = new Map<string, { rule: Rule; module: Module }[]>();
  readonly #found = new Map<string, Condition>();
  readonly #memo = new Map<string, Meaning[]>();
  readonly #facts = new Set<string>();
  #module: Module | undefined;
  #reading: string | undefined;
  #depth = 0;

  constructor(source: Source) {
    this.#source = source;
    for (const module of source.modules) {
      for (const rule of module.rules ?? []) {
        const name = `${packageOf(module)}.${nameOf(rule)}`;
        this.#rules.set(name, [...(this.#rules.get(name) ?? []), { rule, module }]);
      }
    }
  }

  read(rules: string[]): Conditions {
    for (const rule of rules) this.#named(rule);
    return { conditions: [...this.#found.values()], facts: [...this.#facts].map((name) => this.#fact(name)) };
  }

  #fact(name: string): Fact {
    const definitions = (this.#rules.get(name) ?? []).filter(({ rule }) => rule.default !== true);
    const countable = definitions.every(({ rule: { head } }) =>
      head.key !== undefined ? head.value === undefined : /^(array|set|object)/.test(head.value?.type ?? ""),
    );
    return { name, countable };
  }

  #within<T>(module: Module, work: () => T): T {
    const before = this.#module;
    this.#module = module;
    this.#depth += 1;
    try {
      return work();
    } finally {
      this.#module = before;
      this.#depth -= 1;
    }
  }

  /** Walks a rule's body; what its head stands for. */
  #rule(rule: Rule, environment: Environment): Meaning[] {
    const local = this.#body(rule.body, environment);
    const { key, value, ref } = rule.head;
    const keys = key === undefined ? [] : this.#term(key, local);
    const values = value === undefined ? [] : this.#term(value, local);
    // A comparison or a membership in a head is a condition; a name for a part of the input is none.
    this.#relate([...keys, ...values], false);
    // `contains x` has a key and no value; `name[key] := value` and `name.key := value` are members of an object.
    const named = (ref ?? []).slice(1).flatMap((step) => this.#term(step, local));
    const own: Meaning[] =
      key !== undefined && value === undefined
        ? [{ kind: "collection", keys: [], values: keys }]
        : key !== undefined || named.length > 0
          ? [{ kind: "collection", keys: [...keys, ...named], values }]
          : values;
    return rule.else === undefined ? own : [...own, ...this.#rule(rule.else, environment)];
  }

  #body(body: Node[] | undefined, environment: Environment): Environment {
    const local = new Map(environment);
    // Twice: OPA orders a body by what depends on what, so a name may be used before the line that gives it.
    for (let pass = 0; pass < 2; pass++) for (const expression of body ?? []) this.#expression(expression, local);
    return local;
  }

  #expression(expression: Node, local: Environment): void {
    const terms = expression.terms as Node | Node[] | undefined;
    for (const change of expression.with ?? []) this.#term(change.value, local);
    if (Array.isArray(terms)) {
      this.#call(terms, local);
      return;
    }
    const { symbols, domain } = (terms ?? {}) as { symbols?: Node[]; domain?: Node };
    if (symbols !== undefined) {
      for (const symbol of symbols) if (symbol.type === "call") this.#call(symbol.value as Node[], local);
    } else if (domain !== undefined) {
      this.#every(terms as unknown as { key?: Node; value?: Node; domain: Node; body: Node[] }, local);
    } else if (terms !== undefined) {
      // A value by itself holds unless it is false or absent.
      this.#relate([...this.#term(terms, local), { kind: "const", value: true }, { kind: "const", value: false }]);
    }
  }

  #every(every: { key?: Node; value?: Node; domain: Node; body: Node[] }, local: Environment): void {
    const domain = this.#term(every.domain, local);
    const inner = new Map(local);
    if (every.value?.type === "var") inner.set(String(every.value.value), membersOf(domain));
    if (every.key?.type === "var") inner.set(String(every.key.value), keysOf(domain));
    this.#body(every.body, inner);
  }

  /** A call as an expression: a binding, a membership, or a condition. */
  #call([operator, ...args]: Node[], local: Environment): void {
    const name = operatorOf(operator);
    const [left, right] = args;
    if ((name === "assign" || name === "eq") && left?.type === "var" && right !== undefined) {
      const value = this.#term(right, local);
      const known = local.has(String(left.value)) && name === "eq";
      if (!known) local.set(String(left.value), value);
      else this.#relate([...this.#term(left, local), ...value]);
      return;
    }
    if (name === "internal.member_2" && left !== undefined && right !== undefined) {
      this.#member(undefined, left, right, local);
    } else if (name === "internal.member_3" && args[2] !== undefined) {
      this.#member(left, right as Node, args[2], local);
    } else this.#relate(this.#operation(name, args, local));
  }

  #member(key: Node | undefined, value: Node, collection: Node, local: Environment): void {
    const symbols = this.#term(collection, local);
    const members = membersOf(symbols);
    const bind = (node: Node | undefined, found: Meaning[]) => {
      if (node?.type === "var" && !local.has(String(node.value)) && !this.#isRule(String(node.value))) {
        local.set(String(node.value), found);
      } else if (node !== undefined) this.#relate([...this.#term(node, local), ...found]);
    };
    bind(value, members);
    bind(key, keysOf(symbols));
  }

  #isRule(name: string): boolean {
    return this.#module !== undefined && this.#rules.has(`${packageOf(this.#module)}.${name}`);
  }

  #term(term: Node, local: Environment): Meaning[] {
    switch (term.type) {
      case "null":
        return [{ kind: "const", value: null }];
      case "boolean":
      case "number":
      case "string":
        return [{ kind: "const", value: term.value as string }];
      case "var":
        return this.#reference([term], local);
      case "ref":
        return this.#reference(term.value as Node[], local);
      case "array":
      case "set":
        return [
          { kind: "collection", keys: [], values: (term.value as Node[]).flatMap((item) => this.#term(item, local)) },
        ];
      case "object": {
        const pairs = term.value as [Node, Node][];
        const keys = pairs.flatMap(([key]) => this.#term(key, local));
        return [{ kind: "collection", keys, values: bounded(pairs.flatMap(([, value]) => this.#term(value, local))) }];
      }
      case "arraycomprehension":
      case "setcomprehension":
      case "objectcomprehension": {
        const { term: item, key, value, body } = term.value as { term?: Node; key?: Node; value?: Node; body: Node[] };
        const inner = this.#body(body, local);
        const of = (node: Node | undefined) => (node === undefined ? [] : this.#term(node, inner));
        return [{ kind: "collection", keys: of(key), values: [...of(item), ...of(value)] }];
      }
      case "call": {
        const [operator, ...args] = term.value as Node[];
        return this.#operation(operatorOf(operator), args, local);
      }
      default:
        return [];
    }
  }

  #reference([head, ...steps]: Node[], local: Environment): Meaning[] {
    if (head === undefined) return [];
    const name = String(head.value);
    if (head.type === "call") return this.#steps(this.#term(head, local), steps, local);
    if (head.type !== "var") return this.#steps(this.#term(head, local), steps, local);
    const bound = local.get(name);
    if (bound !== undefined) return this.#steps(bound, steps, local);
    if (name === "input") return this.#steps([{ kind: "path", path: [], as: "raw" }], steps, local);
    if (name === "data") return this.#data(steps, local);
    if (this.#isRule(name))
      return this.#steps(this.#named(`${packageOf(this.#module as Module)}.${name}`), steps, local);
    const imported = this.#module?.imports?.find(({ alias, path }) => (alias ?? lastOf(path)) === name);
    return imported === undefined ? [] : this.#reference([...(imported.path.value as Node[]), ...steps], new Map());
  }

  /** `data.a.b`: a rule of another package, or the policy's data. */
  #data(steps: Node[], local: Environment): Meaning[] {
    for (let length = steps.length; length > 1; length--) {
      const name = steps
        .slice(0, length)
        .map((step) => String(step.value))
        .join(".");
      if (this.#rules.has(name)) return this.#steps(this.#named(name), steps.slice(length), local);
    }
    return this.#steps([{ kind: "node", data: this.#source.data }], steps, local);
  }

  #steps(start: Meaning[], steps: Node[], local: Environment): Meaning[] {
    let symbols = start;
    for (const step of steps) {
      if (step.type === "string" || step.type === "number") {
        symbols = memberOf(symbols, step.value as string);
        continue;
      }
      const name = step.type === "var" ? String(step.value) : undefined;
      if (name !== undefined && !local.has(name) && !this.#isRule(name)) {
        // A name that nothing has given yet goes through all members.
        local.set(name, keysOf(symbols));
      } else {
        // Looking something up compares it with every name there is.
        const keys = this.#term(step, local);
        this.#relate([...keys, ...keysOf(symbols), ...setMembers(symbols)], false);
        const names = leavesOf(keys).flatMap((key) => (key.kind === "const" ? [String(key.value)] : []));
        if (names.length > 0 && symbols.every(({ kind }) => kind === "path")) {
          symbols = bounded(names.flatMap((known) => memberOf(symbols, known)));
          continue;
        }
      }
      symbols = membersOf(symbols);
    }
    return bounded(symbols);
  }

  #named(name: string): Meaning[] {
    const known = this.#memo.get(name);
    if (known !== undefined) return known;
    // A rule that leads back to itself stands for nothing on the way.
    this.#memo.set(name, []);
    const reading = this.#reading;
    this.#reading = name;
    const symbols = (this.#rules.get(name) ?? []).flatMap(({ rule, module }) =>
      rule.head.args === undefined ? this.#within(module, () => this.#rule(rule, new Map())) : [],
    );
    this.#reading = reading;
    this.#memo.set(name, bounded(symbols));
    return symbols;
  }

  /** What a call may result in. A function of the policy is read with what it is given. */
  #operation(name: string, args: Node[], local: Environment): Meaning[] {
    const given = args.map((arg) => this.#term(arg, local));
    const own = this.#module === undefined ? name : `${packageOf(this.#module)}.${name}`;
    const functions = this.#rules.get(own) ?? this.#rules.get(name.replace(/^data\./, "")) ?? [];
    if (functions.length > 0) return this.#apply(functions, given);
    const [first = [], second = []] = given;
    switch (name) {
      case "time.now_ns":
        return [];
      case "time.parse_rfc3339_ns":
      case "time.parse_ns":
      case "time.date":
        return readAs(first, "date");
      case "count":
        return readAs(first, "length");
      case "lt":
      case "lte":
      case "gt":
      case "gte":
        return this.#ordering(first, second);
      case "plus":
      case "minus":
      case "mul":
      case "div":
      case "rem":
        return this.#arithmetic(name, first, second);
      case "object.keys":
        return [{ kind: "collection", keys: [], values: first.filter(({ kind }) => kind === "path") }];
      case "internal.member_2":
      case "internal.member_3": {
        const collection = given.at(-1) ?? [];
        this.#relate([...given.slice(0, -1).flat(), ...membersOf(collection)]);
        return [];
      }
      case "object.get":
        return bounded([...lookUp(first, second), ...(given[2] ?? [])]);
      case "regex.match":
      case "regex.find_n":
        // A pattern is no value of what it is matched with.
        return readAs(second, "text");
      default:
        return bounded(keepsMembers(name) ? given.flat() : given.flatMap((symbols) => readAs(symbols, "text")));
    }
  }

  #arithmetic(name: string, left: Meaning[], right: Meaning[]): Meaning[] {
    const [a, b] = [left[0], right[0]];
    const alone = left.length === 1 && right.length === 1;
    if (
      alone &&
      a?.kind === "const" &&
      b?.kind === "const" &&
      typeof a.value === "number" &&
      typeof b.value === "number"
    ) {
      return fromData(calculate(name, a.value, b.value));
    }
    // Sets have a difference too.
    if ([...left, ...right].some(({ kind }) => kind === "collection")) return bounded([...left, ...right]);
    return bounded([...readAs(left, "number"), ...readAs(right, "number")]);
  }

  /** What is ordered beside no text is a number, unless it is a date. */
  #ordering(left: Meaning[], right: Meaning[]): Meaning[] {
    const both = [...left, ...right];
    const beside = both.some((meaning) => meaning.kind === "const" && typeof meaning.value === "string");
    return beside ? both : readAs(both, "number");
  }

  #apply(functions: { rule: Rule; module: Module }[], given: Meaning[][]): Meaning[] {
    if (this.#depth > DEPTH) return [];
    return functions.flatMap(({ rule, module }) =>
      this.#within(module, () => {
        const local: Environment = new Map();
        for (const [index, parameter] of (rule.head.args ?? []).entries()) {
          if (parameter.type === "var") local.set(String(parameter.value), given[index] ?? []);
          else this.#relate([...this.#term(parameter, local), ...(given[index] ?? [])]);
        }
        return this.#rule(rule, local);
      }),
    );
  }

  #relate(symbols: Meaning[], isFact = true): void {
    const leaves = leavesOf(symbols);
    const paths = new Map<string, Condition["paths"][number]>();
    const constants = new Set<Condition["constants"][number]>();
    for (const leaf of leaves) {
      if (leaf.kind === "path" && leaf.path.length > 0) paths.set(`${leaf.as}:${leaf.path.join("\0")}`, leaf);
      else if (leaf.kind === "const") constants.add(leaf.value);
    }
    if (paths.size === 0) return;
    if (isFact && this.#reading !== undefined) this.#facts.add(this.#reading);
    const condition = { paths: [...paths.values()].map(({ path, as }) => ({ path, as })), constants: [...constants] };
    this.#found.set(JSON.stringify(condition), condition);
  }
}

/** Whether the members of a result are members of what was given. */
function keepsMembers(name: string): boolean {
  return /^(array|object|json)\./.test(name) || ["union", "intersection", "and", "or", "sort"].includes(name);
}

function lookUp(object: Meaning[], keys: Meaning[]): Meaning[] {
  return keys.flatMap((key) => (key.kind === "const" ? memberOf(object, String(key.value)) : membersOf(object)));
}

function calculate(name: string, a: number, b: number): number {
  const results: Record<string, number> = { plus: a + b, minus: a - b, mul: a * b, div: a / b, rem: a % b };
  return results[name] ?? 0;
}

function setMembers(symbols: Meaning[]): Meaning[] {
  return symbols.flatMap((symbol) => (symbol.kind === "collection" && symbol.keys.length === 0 ? symbol.values : []));
}

function operatorOf(node: Node | undefined): string {
  if (node?.type !== "ref") return String(node?.value ?? "");
  return (node.value as Node[]).map((part) => String(part.value)).join(".");
}

function nameOf({ head }: Rule): string {
  return head.name ?? String(head.ref?.[0]?.value ?? "");
}

function lastOf(path: Node): string {
  return String((path.value as Node[]).at(-1)?.value);
}
