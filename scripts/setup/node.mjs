import { existsSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { run } from "./command.mjs";
import { nodeMajor, processor, root, system } from "./layout.mjs";
import { SetupProblem } from "./problem.mjs";
import { say } from "./report.mjs";
import { onPath } from "./search-path.mjs";

/** Makes sure that node_modules/.bin/node is Node 24 or newer. It comes with the npm packages, where there is one for this system. */
export async function node() {
  const program = path.join(root, "node_modules", ".bin", "node");
  if (existsSync(program) && fromNpm() >= nodeMajor) return;
  if (existsSync(program) && (await majorOf(program)) >= nodeMajor) return;
  const other = onPath("node");
  if (other !== undefined && (await majorOf(other)) >= nodeMajor) {
    symlinkSync(other, program);
    say("node", `using ${other}`);
    return;
  }
  throw new SetupProblem(
    `No Node ${nodeMajor} for ${system} ${processor}: npm has none that fits, and the one on PATH is ${process.version}.`,
    `Install Node ${nodeMajor} (https://nodejs.org), so that it comes first on PATH; then run this again.`,
  );
}

/** @returns {number} the major version of the npm package that carries Node; 0 when it isn't installed */
function fromNpm() {
  const manifest = path.join(root, "node_modules", `node-${system}-${processor}`, "package.json");
  try {
    return Number.parseInt(JSON.parse(readFileSync(manifest, "utf8")).version, 10);
  } catch {
    return 0;
  }
}

async function majorOf(program) {
  const { code, lines } = await run("node-version", program, ["--version"], { seconds: 10 });
  return code === 0 ? Number.parseInt(lines.at(-1).replace(/^v/, ""), 10) : 0;
}
