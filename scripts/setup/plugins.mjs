import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run } from "./command.mjs";
import { refusal } from "./download.mjs";
import { bin, launchers, pulumiHome, root, sources, tools, unfinished } from "./layout.mjs";
import { SetupProblem } from "./problem.mjs";
import { say, timed } from "./report.mjs";

const names = ["gcp", "docker", "command"];
/** Its presence tells bin/pulumi that plugins can't be downloaded here. */
const marker = path.join(pulumiHome, "stand-ins");

/**
 * Makes sure that the engine finds the provider plugins that the program's SDKs ask for: Pulumi's own wherever they can be
 * downloaded, otherwise the project's stand-ins (local/plugins).
 * @param {boolean} again try Pulumi's own again where stand-ins are in place
 */
export async function plugins(again) {
  const wanted = names.map((name) => ({ name, version: versionOf(name) }));
  const missing = wanted.filter((plugin) => (again && isStandIn(plugin)) || !existsSync(programOf(plugin)));
  // Stand-ins that are in place tell that downloads were refused; a new version of an SDK needn't find that out again.
  let refused = !again && existsSync(marker) ? "as before" : undefined;
  for (const plugin of missing) {
    if (refused === undefined) refused = await official(plugin);
    if (refused !== undefined) putStandIn(plugin);
  }
  const standIns = wanted.filter(isStandIn);
  for (const plugin of standIns) putStandIn(plugin);
  if (missing.length > 0 && standIns.length > 0) {
    const list = standIns.map(({ name, version }) => `${name} ${version}`).join(", ");
    say("plugins", `Pulumi's own can't be had (${refused}); stand-ins from local/plugins for ${list}`);
    say("plugins", "`node scripts/setup.mjs --again` tries Pulumi's own again");
  }
  const text = standIns.map(({ name, version }) => `${name} ${version}\n`).join("");
  if (text === "") rmSync(marker, { force: true });
  else if (read(marker) !== text) writeFileSync(marker, text);
}

/** @returns {Promise<string | undefined>} undefined when the engine has installed it; otherwise why it couldn't */
async function official({ name, version }) {
  const refused = await refusal(sources.pulumi);
  if (refused !== undefined) return refused;
  const kept = `${folderOf({ name, version })}.stand-in`;
  rmSync(kept, { recursive: true, force: true });
  if (existsSync(folderOf({ name, version }))) renameSync(folderOf({ name, version }), kept);
  const { code, lines } = await timed("plugins", `asking the engine for ${name} ${version}`, () =>
    run(`plugin-${name}`, path.join(bin, "pulumi"), ["plugin", "install", "resource", name, version], {
      env: { ...process.env, PULUMI_HOME: pulumiHome, PULUMI_SKIP_UPDATE_CHECK: "true" },
      seconds: 600,
    }),
  );
  const failed = code !== 0 || !existsSync(programOf({ name, version }));
  if (failed && existsSync(kept)) renameSync(kept, folderOf({ name, version }));
  rmSync(kept, { recursive: true, force: true });
  return failed ? (lines.at(-1) ?? "no reason given") : undefined;
}

/** A small launcher, because the plugin's files need the project's packages around them. */
function putStandIn(plugin) {
  const main = path.join(root, "local", "plugins", plugin.name, "main.ts");
  if (!existsSync(main)) {
    throw new SetupProblem(
      `Pulumi's ${plugin.name} plugin can't be downloaded, and ${main}, which stands in for it, is missing.`,
      "Restore local/plugins from git, or run this where https://get.pulumi.com can be reached.",
    );
  }
  const text = launcher(main);
  if (read(programOf(plugin)) === text) return;
  mkdirSync(folderOf(plugin), { recursive: true });
  mkdirSync(unfinished, { recursive: true });
  const draft = path.join(unfinished, `plugin-${plugin.name}-${process.pid}`);
  writeFileSync(draft, text, { mode: 0o755 });
  renameSync(draft, programOf(plugin));
}

function launcher(main) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  return `#!/bin/sh
# Stand-in for a provider plugin that could not be downloaded. Written by scripts/setup.mjs.
export FLOWPILOT_ENGINE_PID="$PPID"
[ -n "$NODE_COMPILE_CACHE" ] || export NODE_COMPILE_CACHE=${quoted(path.join(tools, "cache/node"))}
exec ${quoted(path.join(root, "node_modules/.bin/node"))} \\
  --require ${quoted(path.join(launchers, "defer-unused.cjs"))} \\
  --import ${quoted(path.join(launchers, "end-with-engine.mjs"))} \\
  ${quoted(main)} "$@"
`;
}

function isStandIn(plugin) {
  return read(programOf(plugin))?.startsWith("#!/bin/sh\n# Stand-in") ?? false;
}

function folderOf({ name, version }) {
  return path.join(pulumiHome, "plugins", `resource-${name}-v${version}`);
}

function programOf(plugin) {
  return path.join(folderOf(plugin), `pulumi-resource-${plugin.name}`);
}

/** The SDK and its plugin have one version. The lockfile has it even before the packages are installed. */
function versionOf(name) {
  const { packages } = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8"));
  return packages[`node_modules/@pulumi/${name}`].version;
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
