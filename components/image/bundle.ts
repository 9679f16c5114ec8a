import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { messageOf, UserError } from "../errors.ts";
import { findOpa } from "../opa/binary.ts";

const run = promisify(execFile);

/** The file an image keeps its bundle in. */
const BUNDLE_FILE = "bundle.tar.gz";

/**
 * Builds the bundle that OPA loads from the folders of a directory, with `opa build`: rules but no unit tests, and all data files merged as OPA would load them. The
 * same content gives the same bytes. @param signingKey PEM file; without one the bundle isn't signed
 * @throws UserError when OPA refuses the policies, or the key can't be used.
 */
export async function buildBundle(directory: string, folders: string[], signingKey?: string): Promise<void> {
  const opa = (...args: string[]) => run(findOpa(), ["build", ...args], { cwd: directory, timeout: 60_000 });
  try {
    // What a commit says of its own changes is for the gates.
    await opa("--ignore", "*_test.rego", "--ignore", "expected-changes.yaml", "--output", BUNDLE_FILE, ...folders);
  } catch (cause) {
    throw new UserError(`the bundle of policies can't be built: ${saidBy(cause)}`, { cause });
  }
  if (signingKey === undefined) return;
  const key = path.resolve(signingKey);
  // OPA would take the name itself for a secret and go on.
  if (!existsSync(key)) {
    throw new UserError(
      `bundleSigningKey: ${signingKey} isn't there (${key}); make a key with \`openssl genrsa -out ${signingKey} 3072\`, outside the repository`,
    );
  }
  try {
    // Only a bundle can be signed, so this is a second step.
    await opa("--bundle", BUNDLE_FILE, "--signing-key", key, "--signing-alg", "RS256", "--output", BUNDLE_FILE);
  } catch (cause) {
    throw new UserError(
      `the bundle of policies can't be signed with ${signingKey}: ${saidBy(cause)}. It has to be an RSA private key in PEM form`,
      { cause },
    );
  }
}

function saidBy(error: unknown): string {
  return (error as { stderr?: string }).stderr?.trim() || messageOf(error);
}
