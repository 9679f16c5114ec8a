import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { request } from "undici";
import { httpAgent } from "../../http.ts";
import { startOpa } from "../../opa/process.ts";
import type { Json } from "../../scenarios/scenario.ts";
import type { Decision } from "../classes.ts";
import { EXPECTED_FILE } from "../expected.ts";
import type { Fact } from "./conditions.ts";

/** A decision, how many of the policy's own conditions held on the way, and which: inputs of one signature are alike to the policy. */
export type Evaluated = { decision: Decision; facts: number; signature: string } | { failure: string };

/** Decides many inputs at once, at one moment. */
export interface Evaluator extends AsyncDisposable {
  evaluate(inputs: Json[], now: number): Promise<Evaluated[]>;
}

/** Serves a policy directory by a throw-away OPA that decides whole batches, which is much cheaper than a request for each. */
export async function startEvaluator(directory: string, packageName: string, facts: Fact[]): Promise<Evaluator> {
  const work = await mkdtemp(path.join(tmpdir(), "flowpilot-search-"));
  try {
    const module = path.join(work, "search.rego");
    await writeFile(module, searchModule(packageName, facts));
    const args = ["--ignore=*_test.rego", `--ignore=${EXPECTED_FILE}`, module];
    const opa = await startOpa(directory, { args });
    return {
      evaluate: (inputs, now) => evaluateBatch(opa.url, inputs, now),
      [Symbol.asyncDispose]: () => opa.stop(),
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const PACKAGE = "flowpilot_search";

/** Rego that decides a list of inputs with the clock stopped. `known` keeps an answer defined where a policy says nothing. */
export function searchModule(packageName: string, facts: Fact[]): string {
  return [
    `package ${PACKAGE}`,
    "answer.known := true",
    `answer.allow := data.${packageName}.allow`,
    `answer.reasons := data.${packageName}.reasons`,
    ...facts.map(({ name, countable }, index) =>
      countable ? `answer.facts.f${index} := count(data.${name})` : `answer.facts.f${index} := 1 if data.${name}`,
    ),
    `decisions := [d | some x in input.inputs; d := data.${PACKAGE}.answer with input as x with time.now_ns as input.now]`,
    "",
  ].join("\n\n");
}

interface Answer {
  allow?: unknown;
  reasons?: unknown;
  facts?: Record<string, number>;
}

export async function evaluateBatch(url: string, inputs: Json[], now: number): Promise<Evaluated[]> {
  if (inputs.length === 0) return [];
  const reply = await request(`${url}/v1/data/${PACKAGE}/decisions`, {
    dispatcher: httpAgent(),
    method: "POST",
    headers: { "content-type": "application/json" },
    // Nanoseconds are more digits than a JavaScript number has, but a whole second is exact enough.
    body: `{"input":{"now":${now}000000,"inputs":${JSON.stringify(inputs)}}}`,
  });
  const text = await reply.body.text();
  if (reply.statusCode === 200) {
    const { result = [] } = JSON.parse(text) as { result?: Answer[] };
    if (result.length === inputs.length) return result.map(readAnswer);
  }
  // One input that can't be decided spoils the batch: it is found by halving.
  if (inputs.length === 1) return [{ failure: `HTTP ${reply.statusCode}: ${text.replace(/\s+/g, " ").slice(0, 200)}` }];
  const half = Math.ceil(inputs.length / 2);
  const halves = [inputs.slice(0, half), inputs.slice(half)];
  return [
    ...(await evaluateBatch(url, halves[0] as Json[], now)),
    ...(await evaluateBatch(url, halves[1] as Json[], now)),
  ];
}

function readAnswer({ allow, reasons, facts = {} }: Answer): Evaluated {
  const texts = Array.isArray(reasons) ? reasons.filter((code) => typeof code === "string") : [];
  const held = Object.values(facts).reduce((sum, count) => sum + count, 0);
  const decision = { allow: allow === true, reasons: texts.sort() };
  return { decision, facts: held, signature: JSON.stringify([decision, facts]) };
}
