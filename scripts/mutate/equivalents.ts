import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { load } from "js-yaml";
import { z } from "zod";
import { UserError } from "../../components/errors.ts";
import { type Mutant, normalise } from "./mutants.ts";

const entry = z.strictObject({
  rule: z.string(),
  kind: z.enum(["remove", "negate", "invert", "default", "boolean", "boundary", "member"]),
  condition: z.string(),
  /** Which member is dropped; of kind `member` only. */
  member: z.string().optional(),
  reason: z.string().min(10),
});

/** A mutant that no input can tell from the policy, and why. `condition` is its text before the change. */
export type Equivalent = z.infer<typeof entry>;

/** The list in `<domainDir>/equivalent-mutants.yaml`; empty without one. Throws UserError where it can't be used. */
export async function readEquivalents(domainDir: string): Promise<Equivalent[]> {
  const file = join(domainDir, "equivalent-mutants.yaml");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return [];
    }
    throw new UserError(`${file} can't be read.`, { cause: error });
  }
  let content: unknown;
  try {
    content = load(text);
  } catch (cause) {
    throw new UserError(`${file} isn't valid YAML: ${(cause as Error).message}`, { cause });
  }
  const parsed = z.strictObject({ equivalent_mutants: z.array(entry) }).safeParse(content);
  if (!parsed.success) {
    throw new UserError(`${file} can't be used:\n${z.prettifyError(parsed.error)}`);
  }
  return parsed.data.equivalent_mutants;
}

/** Whether a list entry means this mutant: same rule, kind, condition and member; white space doesn't matter. */
export function isListed(mutant: Mutant, listed: Equivalent): boolean {
  return (
    listed.kind === mutant.kind &&
    normalise(listed.rule) === mutant.rule &&
    normalise(listed.condition) === mutant.before &&
    (listed.member === undefined || mutant.after === `without ${normalise(listed.member)}`)
  );
}
