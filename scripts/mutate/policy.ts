import { readdir, readFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { load } from "js-yaml";
import { packageOf } from "../../components/diff/search/ast.ts";
import { UserError } from "../../components/errors.ts";
import { type Module, parseRego } from "./ast.ts";

/** One Rego file of the policy directory. `mutated` for those of the domain in question. */
export type PolicyFile = { path: string; text: string; mutated: boolean; module: Module };

/** A policy as it is deployed: all non-test Rego of the directory, and the package that callers ask. */
export type Policy = { packageName: string; files: PolicyFile[] };

/** Reads the policies of a directory. Throws UserError where the domain has none, or one can't be parsed. */
export async function readPolicy(opa: string, policyDir: string, domain: string): Promise<Policy> {
  const domainDir = join(policyDir, domain);
  const paths = await regoFiles(policyDir);
  if (!paths.some((path) => path.startsWith(domainDir + sep))) {
    throw new UserError(
      `No policy: ${domainDir} has no .rego file that isn't a test. --policy-dir takes the folder that holds <domain>/policy.rego.`,
    );
  }
  const files: PolicyFile[] = [];
  for (const path of paths) {
    const text = await readFile(path, "utf8");
    files.push({ path, text, mutated: path.startsWith(domainDir + sep), module: await parseRego(opa, path) });
  }
  return { packageName: (await declaredPackage(domainDir)) ?? decidingPackage(files, domainDir), files };
}

async function regoFiles(policyDir: string): Promise<string[]> {
  try {
    const entries = await readdir(policyDir, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith(".rego") && !entry.name.endsWith("_test.rego"))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch (cause) {
    throw new UserError(`The policy directory ${policyDir} can't be read: ${(cause as Error).message}`, { cause });
  }
}

/** `package` in the domain's manifest.yaml, if it has one. */
async function declaredPackage(domainDir: string): Promise<string | undefined> {
  const file = join(domainDir, "manifest.yaml");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch {
    return undefined;
  }
  try {
    const name: unknown = (load(text) as { package?: unknown } | undefined)?.package;
    return typeof name === "string" ? name : undefined;
  } catch (cause) {
    throw new UserError(`${file} isn't valid YAML: ${(cause as Error).message}`, { cause });
  }
}

function decidingPackage(files: PolicyFile[], domainDir: string): string {
  const deciding = files.find((file) => file.mutated && file.module.rules?.some((rule) => rule.head.name === "allow"));
  if (deciding === undefined) {
    throw new UserError(
      `${domainDir} names no package: neither manifest.yaml (\`package\`) nor a rule \`allow\` says it.`,
    );
  }
  return packageOf(deciding.module);
}
