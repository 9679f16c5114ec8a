import { readFile } from "node:fs/promises";
import path from "node:path";
import { load } from "js-yaml";
import { z } from "zod";
import { messageOf, UserError } from "../errors.ts";

const manifest = z.looseObject({
  package: z
    .string()
    .regex(/^[a-zA-Z_]\w*(\.[a-zA-Z_]\w*)*$/, "a Rego package name such as auto_book")
    .optional(),
});

/** What the program reads of a domain's manifest.yaml; everything else in it is the policy's own data. */
export type Manifest = z.infer<typeof manifest>;

/** @throws UserError when `<directory>/<domain>/manifest.yaml` is missing, is no YAML, or its package is no name. */
export async function readManifest(directory: string, domain: string): Promise<Manifest> {
  const file = `${domain}/manifest.yaml`;
  const text = await readFile(path.join(directory, file), "utf8").catch((cause) => {
    throw new UserError(
      `${file} can't be read (${messageOf(cause)}); it has to name the Rego package: \`package: auto_book\``,
    );
  });
  try {
    return manifest.parse(load(text));
  } catch (cause) {
    const why =
      cause instanceof z.ZodError
        ? cause.issues.map((i) => `${i.path.join(".")}: ${i.message}`).join("; ")
        : messageOf(cause);
    throw new UserError(`${file} is not valid: ${why}; it has to name the Rego package: \`package: auto_book\``, {
      cause,
    });
  }
}
