import { existsSync } from "node:fs";
import { arch } from "node:os";
import { isAbsolute, join } from "node:path";
import type { Log } from "../plugin.ts";
import { isObject, type Properties, UNKNOWN } from "../values.ts";
import { contextDigest } from "./context.ts";

/** Fills in context, dockerfile, platform and the digest of the context. Fails when there is no Dockerfile. */
export function checkedBuild(given: Properties[string], log: Log): Properties[string] {
  if (given === UNKNOWN) return given;
  const inputs = isObject(given) ? { ...given } : {};
  const checked: Properties = { ...inputs };
  checked.context ??= ".";
  if (typeof checked.context === "string") {
    checked.dockerfile ??= given === undefined ? "Dockerfile" : join(checked.context, "Dockerfile");
  }
  if (typeof checked.dockerfile === "string" && typeof checked.context === "string") {
    assertDockerfile(checked.context, checked.dockerfile);
    checked.contextDigest = contextDigest({ directory: checked.context, dockerfile: checked.dockerfile });
  }
  if (checked.platform === undefined) {
    checked.platform = `linux/${{ x64: "amd64", arm64: "arm64" }[arch() as string] ?? arch()}`;
    log.info(
      `Building your image for ${checked.platform} architecture.\nTo ensure you are building for the correct platform, consider ` +
        "explicitly setting the `platform` field on ImageBuildOptions.",
    );
  }
  return checked;
}

function assertDockerfile(context: string, dockerfile: string): void {
  if (existsSync(dockerfile)) return;
  if (isAbsolute(dockerfile)) {
    throw new Error(`expected a relative Dockerfile path; got ${JSON.stringify(dockerfile)} instead: no such file`);
  }
  const inContext = join(context, dockerfile);
  const hint = existsSync(inContext)
    ? `. Try setting \`dockerfile\` to ${JSON.stringify(inContext)}`
    : `: no such file in ${process.cwd()}`;
  throw new Error(`could not open dockerfile at relative path ${JSON.stringify(dockerfile)}${hint}`);
}
