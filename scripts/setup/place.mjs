import { chmodSync, mkdirSync, readlinkSync, renameSync, symlinkSync } from "node:fs";
import path from "node:path";
import { root, unfinished } from "./layout.mjs";

/** Moves a finished program to its place at once: there is never half a program, and one that runs is not disturbed. */
export function place(file, target) {
  mkdirSync(path.dirname(target), { recursive: true });
  chmodSync(file, 0o755);
  renameSync(file, target);
}

/** Makes `target` a link to `file`, unless it is; a relative one inside the project, so that the project can be moved. */
export function placeLink(file, target) {
  const text = file.startsWith(root + path.sep) ? path.relative(path.dirname(target), file) : file;
  if (linkOf(target) === text) return;
  mkdirSync(unfinished, { recursive: true });
  mkdirSync(path.dirname(target), { recursive: true });
  const draft = path.join(unfinished, `link-${path.basename(target)}-${process.pid}`);
  symlinkSync(text, draft);
  renameSync(draft, target);
}

function linkOf(file) {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
