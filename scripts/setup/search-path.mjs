import { accessSync, constants, realpathSync } from "node:fs";
import path from "node:path";
import { root } from "./layout.mjs";

/** @returns {string | undefined} the program of that name on PATH, links resolved; never one of this project's own */
export function onPath(name) {
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    if (folder === "") continue;
    const program = path.resolve(folder, name);
    try {
      accessSync(program, constants.X_OK);
      const real = realpathSync(program);
      if (!real.startsWith(root + path.sep)) return real;
    } catch {
      // Not here; the next folder may have it.
    }
  }
  return undefined;
}
