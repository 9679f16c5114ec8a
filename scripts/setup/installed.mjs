import { accessSync, constants, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { tools } from "./layout.mjs";

const file = path.join(tools, "installed.json");

/**
 * What set-up has put in place: version and origin of each tool, with the size and time of the file it looked at. A file that
 * is still the same needn't be asked for its version again, which is what makes a second run fast.
 */
export function recorded(name, program) {
  const entry = read()[name];
  return entry !== undefined && entry.file === print(program) ? entry : undefined;
}

export function record(name, program, facts) {
  const all = { ...read(), [name]: { ...facts, file: print(program) } };
  mkdirSync(tools, { recursive: true });
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(all, null, 2)}\n`);
  renameSync(fresh, file);
}

function read() {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Missing, or cut short by a crash: both mean that nothing is known.
    return {};
  }
}

/** @returns {string | undefined} what changes when a program is replaced; undefined when there is none to run */
function print(program) {
  try {
    accessSync(program, constants.X_OK);
    const { size, mtimeMs, ino } = statSync(program);
    return `${size} ${mtimeMs} ${ino}`;
  } catch {
    return undefined;
  }
}
