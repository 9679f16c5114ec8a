import { existsSync, rmSync } from "node:fs";
import path from "node:path";
import { run } from "./command.mjs";
import { DownloadProblem, download, downloadText } from "./download.mjs";
import { goBuild } from "./go-build.mjs";
import { record, recorded } from "./installed.mjs";
import { bin, pinned, processor, sources, system, tools } from "./layout.mjs";
import { place, placeLink } from "./place.mjs";
import { say, timed, warn } from "./report.mjs";
import { onPath } from "./search-path.mjs";
import { isStatic } from "./static-program.mjs";
import { isAtLeast } from "./version.mjs";

const program = path.join(bin, "opa");
const forImage = path.join(tools, "opa-image", "opa");

/** Puts OPA at .tools/bin/opa: the one on PATH, the official one, or one built here. */
export async function opa() {
  if (recorded("opa", program) !== undefined) return;
  if (existsSync(program)) {
    const version = await versionOf(program);
    if (version !== undefined && isAtLeast(version, pinned.opa)) {
      record("opa", program, { version });
      say("opa", `${version} is in place`);
      return;
    }
    rmSync(program, { force: true });
  }
  if (await fromPath()) return;
  place(await pinnedOpa(system), program);
  record("opa", program, { version: pinned.opa });
}

/**
 * The OPA that goes into the base image: the pinned version for Linux, without shared libraries. That is .tools/bin/opa, unless
 * that is another version, another system's, or needs libraries.
 * @returns {Promise<string>} the file
 */
export async function opaForImage() {
  if (recorded("opa", program)?.version === pinned.opa && isStatic(program)) return program;
  if (recorded("opa for image", forImage)?.version !== pinned.opa) {
    place(await pinnedOpa("linux"), forImage);
    record("opa for image", forImage, { version: pinned.opa });
  }
  return forImage;
}

async function fromPath() {
  const found = onPath("opa");
  if (found === undefined) return false;
  const version = await versionOf(found);
  if (version === undefined || !isAtLeast(version, pinned.opa)) {
    say("opa", `${found} is ${version ?? "not to be run"}; ${pinned.opa} or newer is needed`);
    return false;
  }
  placeLink(found, program);
  record("opa", program, { version });
  say("opa", `${version} from PATH (${found})`);
  return true;
}

/** @returns {Promise<string>} the pinned version for `os`, downloaded or built, under .tools/unfinished */
async function pinnedOpa(os) {
  const name = `opa_${os}_${processor === "x64" ? "amd64" : processor}_static`;
  const url = `${sources.opa}/v${pinned.opa}/${name}`;
  try {
    const sum = (await downloadText(`${url}.sha256`)).trim().split(/\s/)[0];
    return await timed("opa", `downloading ${pinned.opa}`, () => download(url, name, sum));
  } catch (error) {
    if (!(error instanceof DownloadProblem)) throw error;
    (error.mismatch ? warn : say)("opa", `no official download (${error.message}); building it instead`);
  }
  return goBuild({ name: "opa", package: "github.com/open-policy-agent/opa", minutes: "1 minute", os });
}

async function versionOf(file) {
  const { code, lines } = await run("opa-version", file, ["version"], { seconds: 20 });
  const line = lines.find((text) => text.startsWith("Version: "));
  return code === 0 ? line?.slice("Version: ".length).trim() : undefined;
}
