import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Command, InvalidArgumentError } from "commander";
import { Random } from "../components/diff/search/random.ts";
import { UserError } from "../components/errors.ts";
import type { Json } from "../components/scenarios/scenario.ts";
import { complain } from "./command-error.ts";
import { travelInput } from "./corpus/travel.ts";

/** Domains whose inputs can be made up, each with what makes one. */
const DOMAINS = new Map([["travel", travelInput]]);

const program = new Command("npm run corpus --")
  .description("Makes up decision inputs to replay, as long as none are captured. The same seed gives the same file.")
  .option("--domain <name>", "the domain", "travel")
  .option("--count <n>", "how many inputs", whole, 6_000)
  .option("--seed <n>", "another seed, other inputs", whole, 1)
  .option("--out <file>", "default: replay/<domain>/generated.jsonl")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

const { domain, count, seed, out } = program.opts<{ domain: string; count: number; seed: number; out?: string }>();

try {
  const make = DOMAINS.get(domain);
  if (make === undefined) {
    const known = [...DOMAINS.keys()].join(", ");
    throw new UserError(`no inputs are made up for "${domain}", only for ${known}; capture some: \`npm run capture\``);
  }
  const file = resolve(out ?? `${import.meta.dirname}/../replay/${domain}/generated.jsonl`);
  await mkdir(dirname(file), { recursive: true });
  await pipeline(Readable.from(lines(make)), createWriteStream(file));
  console.log(`${count} inputs of ${domain} in ${file}`);
} catch (error) {
  complain(error);
  process.exitCode = 2;
}

function* lines(make: (random: Random, index: number) => Json): Generator<string> {
  const random = new Random(seed);
  for (let index = 0; index < count; index++) yield `${JSON.stringify(make(random, index))}\n`;
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("a whole number");
  return value;
}
