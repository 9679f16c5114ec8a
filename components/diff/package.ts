import { UserError } from "../errors.ts";
import { readManifest } from "../governance/manifest.ts";

/** The package that callers of a domain ask: the one in its manifest, or the only one that its Rego files have. */
export async function packageOfDomain(directory: string, domain: string): Promise<string> {
  const { package: named } = await readManifest(directory, domain);
  if (named !== undefined) return named;
  // Rare, and OPA has to parse the policy for it.
  const { packageOf, readSource } = await import("./search/ast.ts");
  const { modules, folders } = await readSource(directory);
  const own = new Set(modules.filter((_, index) => folders[index] === domain).map(packageOf));
  const [only] = own;
  if (own.size === 1 && only !== undefined) return only;
  throw new UserError(
    `${domain}/manifest.yaml has to say \`package: NAME\`, one of those found: ${[...own].join(", ") || "none"}`,
  );
}
