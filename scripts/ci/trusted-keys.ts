/**
 * `npm run ci:trusted-keys`: writes the trusted keys that the CI holds as variables to files outside the repository, for `allowedSigners` and `keyring`
 * of the stack's configuration: ~/.flowpilot/allowed_signers and ~/.flowpilot/keyring.asc. What isn't set isn't written. Nothing here is secret.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

const [directory = path.join(homedir(), ".flowpilot")] = process.argv.slice(2);
const files = {
  allowed_signers: process.env.FLOWPILOT_ALLOWED_SIGNERS,
  "keyring.asc": process.env.FLOWPILOT_KEYRING,
};

mkdirSync(directory, { recursive: true, mode: 0o755 });
for (const [name, content] of Object.entries(files)) {
  if (content === undefined || content === "") continue;
  const file = path.join(directory, name);
  writeFileSync(file, `${content.trimEnd()}\n`, { mode: 0o644 });
  console.log(`wrote ${file}`);
}
