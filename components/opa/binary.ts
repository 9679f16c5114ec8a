import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { UserError } from "../errors.ts";

/**
 * The OPA executable: `$OPA` if set, else the project's own (.tools/bin/opa), else the first on PATH.
 * Throws UserError where there is none, or where `$OPA` isn't one.
 */
export function findOpa(env: NodeJS.ProcessEnv = process.env): string {
  if (env.OPA !== undefined && env.OPA !== "") {
    if (isExecutable(env.OPA)) {
      return env.OPA;
    }
    throw new UserError(`OPA=${env.OPA} isn't an executable file. Point it at the opa binary, or unset it.`);
  }
  const own = join(import.meta.dirname, "..", "..", ".tools", "bin", "opa");
  const onPath = (env.PATH ?? "").split(delimiter).map((folder) => join(folder, "opa"));
  const found = [own, ...onPath].find(isExecutable);
  if (found === undefined) {
    throw new UserError(`No OPA: neither ${own} nor opa on PATH. \`npm start\` installs it; or set OPA=/path/to/opa.`);
  }
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
