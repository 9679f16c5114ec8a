import { mkdirSync } from "node:fs";
import path from "node:path";
import { run } from "./command.mjs";
import { pinned, processor, root, system, unfinished } from "./layout.mjs";
import { SetupProblem } from "./problem.mjs";
import { timed } from "./report.mjs";
import { onPath } from "./search-path.mjs";
import { isAtLeast } from "./version.mjs";

/** From this version on Go fetches the exact version that go.mod asks for by itself. */
const oldestGo = "1.21.0";
const goProcessor = { x64: "amd64", arm64: "arm64" };

/**
 * Builds a tool from the modules pinned in toolchain/NAME. Static (no C compiler needed), and the same bytes everywhere.
 * @param {{name: string, package: string, versionVariable?: string, minutes: string, os?: string}} tool
 * @returns {Promise<string>} the built file, under .tools/unfinished
 */
export async function goBuild(tool) {
  await requireGo(tool.name);
  mkdirSync(unfinished, { recursive: true });
  const target = path.join(unfinished, `${tool.name}-built`);
  const stamp = tool.versionVariable === undefined ? "" : ` -X ${tool.versionVariable}=${pinned[tool.name]}`;
  let compiled = 0;
  const result = await timed(
    tool.name,
    `building ${pinned[tool.name]} from toolchain/${tool.name} (about ${tool.minutes} on two cores)`,
    () =>
      run(
        `build-${tool.name}`,
        "go",
        ["build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", `-s -w${stamp}`, "-o", target, tool.package],
        {
          cwd: path.join(root, "toolchain", tool.name),
          env: {
            ...process.env,
            CGO_ENABLED: "0",
            GOFLAGS: "-mod=readonly",
            GOWORK: "off",
            GOOS: tool.os ?? system,
            GOARCH: goProcessor[processor],
          },
          onLine: (line) => {
            if (!line.startsWith("go: ")) compiled++;
          },
        },
      ),
    () => `(${compiled} packages compiled)`,
  );
  if (result.code !== 0) {
    throw new SetupProblem(
      `go build in toolchain/${tool.name} failed:\n${result.shown}`,
      `See ${result.log}. If the Go module proxy can't be reached, install ${tool.name} ${pinned[tool.name]} or newer yourself, on PATH.`,
    );
  }
  return target;
}

async function requireGo(name) {
  const next = `Install Go ${oldestGo} or newer (https://go.dev/dl), or ${name} ${pinned[name]} or newer, on PATH; then run this again.`;
  if (onPath("go") === undefined)
    throw new SetupProblem(`${name} has to be built here, and there is no Go on PATH.`, next);
  const { lines } = await run("go-version", "go", ["env", "GOVERSION"], {
    env: { ...process.env, GOTOOLCHAIN: "local" },
  });
  const version = lines.at(-1)?.replace(/^go/, "") ?? "unknown";
  if (!isAtLeast(version, oldestGo)) {
    throw new SetupProblem(`${name} has to be built here, and the Go on PATH is ${version}, too old.`, next);
  }
}
