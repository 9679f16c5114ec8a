import { readFileSync } from "node:fs";
import path from "node:path";
import { run } from "./command.mjs";
import { root } from "./layout.mjs";
import { SetupProblem } from "./problem.mjs";
import { timed } from "./report.mjs";

/** Installs what package-lock.json says, unless node_modules holds exactly that. */
export async function npmPackages() {
  if (matchesLockfile()) return;
  const { code, shown, log } = await timed("npm packages", "npm ci", () =>
    // The root user's cache and the scripts of packages are npm's business; no package here needs its install script.
    run("npm-ci", "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]),
  );
  if (code === 0) return;
  throw code === 127
    ? new SetupProblem("There is no npm on PATH.", "Install npm (it comes with Node), then run this again.")
    : new SetupProblem(`npm ci failed:\n${shown}`, `See ${log}; then run this again.`);
}

/**
 * npm writes node_modules/.package-lock.json last, so an interrupted install has none. Packages for other systems are in
 * the one file only.
 * @returns {boolean} whether each installed package is the one that the lockfile names
 */
export function matchesLockfile(folder = root) {
  const wanted = packages(path.join(folder, "package-lock.json"));
  const found = packages(path.join(folder, "node_modules", ".package-lock.json"));
  if (wanted === undefined || found === undefined) return false;
  const { "": project, ...entries } = wanted;
  for (const [place, { version, integrity, optional, devOptional }] of Object.entries(entries)) {
    const installed = found[place];
    if (installed === undefined) {
      if (optional || devOptional) continue;
      return false;
    }
    if (installed.version !== version || installed.integrity !== integrity) return false;
  }
  return Object.keys(found).every((place) => place in entries);
}

function packages(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}
