import { existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { run } from "./command.mjs";
import { DownloadProblem, download, downloadText } from "./download.mjs";
import { goBuild } from "./go-build.mjs";
import { record, recorded } from "./installed.mjs";
import { bin, launchers, pinned, processor, sources, system, tools, unfinished } from "./layout.mjs";
import { place, placeLink } from "./place.mjs";
import { say, timed, warn } from "./report.mjs";
import { onPath } from "./search-path.mjs";
import { isAtLeast } from "./version.mjs";

const program = path.join(bin, "pulumi");
const languageHost = "pulumi-language-nodejs";
const dynamicProviders = "pulumi-resource-pulumi-nodejs";

/**
 * Puts a Pulumi engine at .tools/bin/pulumi: the one on PATH, the official one, or one built here. A built one comes without a
 * language host, so the project's launchers are put beside it, where an engine looks for them.
 */
export async function pulumi() {
  const known = recorded("pulumi", program);
  if (known === undefined) await (existsSync(program) ? adopt() : install());
  if (recorded("pulumi", program)?.from === "built") {
    for (const name of [languageHost, dynamicProviders]) placeLink(path.join(launchers, name), path.join(bin, name));
  }
}

/** A program is there that isn't the one recorded: a record was lost, or the one on PATH was updated. */
async function adopt() {
  const version = await versionOf(program);
  if (version === undefined || !isAtLeast(version, pinned.pulumi)) {
    rmSync(program, { force: true });
    return install();
  }
  record("pulumi", program, { version, from: lstatSync(program).isSymbolicLink() ? "PATH" : "built" });
  say("pulumi", `${version} is in place`);
}

async function install() {
  if ((await fromPath()) || (await fromDownload())) return;
  const built = await goBuild({
    name: "pulumi",
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    versionVariable: "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version",
    minutes: "4 minutes",
  });
  place(built, program);
  record("pulumi", program, { version: pinned.pulumi, from: "built" });
}

async function fromPath() {
  const found = onPath("pulumi");
  if (found === undefined) return false;
  const version = await versionOf(found);
  if (version === undefined || !isAtLeast(version, pinned.pulumi)) {
    say("pulumi", `${found} is ${version ?? "not to be run"}; ${pinned.pulumi} or newer is needed`);
    return false;
  }
  if (!hasLanguageHost(found)) {
    say("pulumi", `${found} has no ${languageHost} beside it`);
    return false;
  }
  placeLink(found, program);
  record("pulumi", program, { version, from: "PATH" });
  say("pulumi", `${version} from PATH (${found})`);
  return true;
}

async function fromDownload() {
  const version = pinned.pulumi;
  const archive = `pulumi-v${version}-${system}-${processor}.tar.gz`;
  const folder = path.join(tools, `pulumi-${version}`);
  try {
    const sums = await downloadText(`${sources.pulumiChecksums}/v${version}/pulumi-${version}-checksums.txt`);
    const sum = sums
      .split("\n")
      .map((line) => line.trim().split(/\s+\*?/))
      .find(([, name]) => name === archive)?.[0];
    if (sum === undefined) throw new DownloadProblem(`no checksum is published for ${archive}`);
    await timed("pulumi", `downloading ${version}`, async () => {
      const file = await download(`${sources.pulumi}/${archive}`, archive, sum);
      await unpack(file, folder);
    });
  } catch (error) {
    if (!(error instanceof DownloadProblem)) throw error;
    // A wrong checksum may be an attack, so it is said louder than a network that isn't there.
    (error.mismatch ? warn : say)("pulumi", `no official download (${error.message}); building it instead`);
    return false;
  }
  placeLink(path.join(folder, "pulumi"), program);
  record("pulumi", program, { version, from: "official" });
  return true;
}

function hasLanguageHost(engine) {
  return existsSync(path.join(path.dirname(realpathSync(engine)), languageHost)) || onPath(languageHost) !== undefined;
}

async function versionOf(engine) {
  const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true", PULUMI_HOME: path.join(unfinished, "home") };
  const { code, lines } = await run("pulumi-version", engine, ["version"], { env, seconds: 20 });
  return code === 0 ? lines.at(-1)?.replace(/^v/, "") : undefined;
}

async function unpack(file, folder) {
  const draft = path.join(unfinished, "pulumi-official");
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const { code, lines } = await run("unpack-pulumi", "tar", ["-xzf", file, "-C", draft]);
  const inside = path.join(draft, readdirSync(draft)[0] ?? "");
  if (code !== 0 || !existsSync(path.join(inside, "pulumi"))) {
    throw new DownloadProblem(`${path.basename(file)} can't be unpacked: ${lines.at(-1) ?? "no pulumi in it"}`);
  }
  rmSync(folder, { recursive: true, force: true });
  renameSync(inside, folder);
}
