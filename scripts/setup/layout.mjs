import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** The one folder that set-up writes to, besides node_modules. */
export const tools = path.join(root, ".tools");
export const bin = path.join(tools, "bin");
/** Unfinished files. Emptied at each start, so an interrupted set-up leaves nothing behind. */
export const unfinished = path.join(tools, "unfinished");
export const logs = path.join(tools, "logs");
export const pulumiHome = path.join(tools, "pulumi");
export const launchers = path.join(root, "toolchain", "launchers");

/** Oldest Node that runs the project's .ts files as they are. */
export const nodeMajor = 24;

/** The versions that toolchain/NAME/go.mod pins: what is downloaded, what is built, and the oldest taken from PATH. */
export const pinned = {
  pulumi: pin("pulumi", "github.com/pulumi/pulumi/pkg/v3"),
  opa: pin("opa", "github.com/open-policy-agent/opa"),
};

/** Where official builds are published. A mirror with the same layout can stand in for each. */
export const sources = {
  pulumi: process.env.FLOWPILOT_PULUMI_DOWNLOADS ?? "https://get.pulumi.com/releases/sdk",
  pulumiChecksums: process.env.FLOWPILOT_PULUMI_CHECKSUMS ?? "https://github.com/pulumi/pulumi/releases/download",
  opa: process.env.FLOWPILOT_OPA_DOWNLOADS ?? "https://github.com/open-policy-agent/opa/releases/download",
};

/** Names of this machine's system and processor, as Node and the publishers call them. */
export const system = process.platform;
export const processor = os.arch();

/** @returns {string} the version of a module that toolchain/NAME/go.mod requires, without its "v" */
function pin(name, module) {
  const file = path.join(root, "toolchain", name, "go.mod");
  const line = readFileSync(file, "utf8")
    .split("\n")
    .map((text) => text.trim().replace(/^require /, ""))
    .find((text) => text.startsWith(`${module} v`));
  if (line === undefined) throw new Error(`${file} does not require ${module}. Restore it from git.`);
  return line.slice(module.length + 2).split(" ")[0];
}
