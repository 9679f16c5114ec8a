import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";

const project = path.resolve(import.meta.dirname, "../..");

/** A copy of the project's set-up in a folder of its own, with stand-ins for npm, Go, the publishers and the Docker engine. */
export interface Sandbox {
  /** The copy of the project. */
  root: string;
  /** Where the stand-in programs are. */
  programs: string;
  tools: string;
  /** What the published files are, by path; everything else is 404. */
  published: Map<string, Buffer>;
  /** Requests the Docker engine got. */
  dockerRequests: string[];
  /** Environment of a set-up. */
  env: NodeJS.ProcessEnv;
  /** Puts a program on PATH. */
  program(name: string, script: string): void;
  /** How often the stand-in of npm or Go was called, with its arguments. */
  calls(name: string): string[];
  start(...parameters: string[]): ChildProcess;
  run(...parameters: string[]): Promise<Result>;
  close(): Promise<void>;
}

export interface Result {
  code: number | null;
  output: string;
}

export const versions = { pulumi: "3.259.0", opa: "1.22.2" };

/** A program that answers as pulumi and OPA do when asked for their version, and installs plugins as pulumi does. */
export function toolScript(name: string, version: string, { installsPlugins = false } = {}): string {
  return `#!/bin/sh
if [ "$1 $2" = "plugin install" ]; then
  ${installsPlugins ? "" : "echo 'error: no network'; exit 1"}
  mkdir -p "$PULUMI_HOME/plugins/resource-$4-v$5" && echo official >"$PULUMI_HOME/plugins/resource-$4-v$5/pulumi-resource-$4"
  exit
fi
echo "${name === "opa" ? "Version: " : "v"}${version}"
`;
}

/** @param reachable whether the publishers' hosts answer at all */
export async function makeSandbox({ reachable = false } = {}): Promise<Sandbox> {
  const base = mkdtempSync(path.join(os.tmpdir(), "flowpilot-setup-"));
  const [root, programs, calls, built] = ["project", "programs", "calls", "built"].map((name) => {
    const folder = path.join(base, name);
    mkdirSync(folder);
    return folder;
  }) as [string, string, string, string];
  for (const [name, version] of Object.entries(versions))
    writeFileSync(path.join(built, name), toolScript(name, version));
  for (const name of ["scripts/setup", "scripts/setup.mjs", "toolchain"]) {
    cpSync(path.join(project, name), path.join(root, name), { recursive: true });
  }
  const packages: Record<string, object> = {};
  for (const name of ["gcp", "docker", "command"]) {
    packages[`node_modules/@pulumi/${name}`] = { version: "1.2.3", integrity: `sha512-${name}` };
    mkdirSync(path.join(root, "local", "plugins", name), { recursive: true });
    writeFileSync(path.join(root, "local", "plugins", name, "main.ts"), "");
  }
  // As npm does: the project itself is in the lockfile only.
  writeFileSync(path.join(root, "package-lock.json"), JSON.stringify({ packages: { "": {}, ...packages } }));
  writeFileSync(path.join(base, "installed-lock.json"), JSON.stringify({ packages }));

  const published = new Map<string, Buffer>();
  const publisher = await listen((request, response) => {
    const file = published.get(request.url ?? "");
    response.writeHead(file === undefined ? 404 : 200).end(file);
  });
  const dockerRequests: string[] = [];
  let labels: Record<string, string> = {};
  const engine = await listen((request, response) => {
    dockerRequests.push(`${request.method} ${request.url}`);
    request.resume().on("end", () => {
      const url = new URL(request.url ?? "", "http://docker");
      if (request.method === "POST") {
        const label = url.searchParams.getAll("changes").find((change) => change.startsWith("LABEL "));
        labels = Object.fromEntries([(label ?? "").slice("LABEL ".length).split("=")]) as Record<string, string>;
      }
      const known = url.pathname === "/_ping" || request.method === "POST" || Object.keys(labels).length > 0;
      response.writeHead(known ? 200 : 404).end(JSON.stringify({ Config: { Labels: labels } }));
    });
  });

  const publisherUrl = reachable ? address(publisher) : await unreachable();
  const sandbox: Sandbox = {
    root,
    programs,
    tools: path.join(root, ".tools"),
    published,
    dockerRequests,
    env: {
      HOME: base,
      // The system's own tar and sh; its npm, Go and docker are hidden by the stand-ins, or by what a test removes.
      PATH: [programs, "/usr/bin", "/bin"].join(path.delimiter),
      DOCKER_HOST: address(engine).replace("http:", "tcp:"),
      FLOWPILOT_PULUMI_DOWNLOADS: `${publisherUrl}/pulumi`,
      FLOWPILOT_PULUMI_CHECKSUMS: `${publisherUrl}/checksums`,
      FLOWPILOT_OPA_DOWNLOADS: `${publisherUrl}/opa`,
    },
    program(name, script) {
      writeFileSync(path.join(programs, name), script, { mode: 0o755 });
    },
    calls(name) {
      try {
        return readFileSync(path.join(calls, name), "utf8").trimEnd().split("\n");
      } catch {
        return [];
      }
    },
    start(...parameters) {
      return spawn(process.execPath, [path.join(root, "scripts", "setup.mjs"), ...parameters], {
        env: sandbox.env,
        stdio: ["ignore", "pipe", "pipe"],
      });
    },
    run(...parameters) {
      return resultOf(sandbox.start(...parameters));
    },
    async close() {
      for (const server of [publisher, engine]) server.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
  const node = path.join(root, "node_modules", `node-${process.platform}-${process.arch}`);
  sandbox.program(
    "npm",
    `#!/bin/sh
echo "$*" >>'${calls}/npm'
mkdir -p '${node}' '${root}/node_modules/.bin'
echo '{"version": "24.0.0"}' >'${node}/package.json'
ln -sf '${process.execPath}' '${root}/node_modules/.bin/node'
cp '${base}/installed-lock.json' '${root}/node_modules/.package-lock.json'
`,
  );
  sandbox.program(
    "go",
    `#!/bin/sh
if [ "$1" = env ]; then echo go1.26.8; exit; fi
echo "$*" >>'${calls}/go'
while [ "$1" != -o ]; do shift; done
case $2 in *opa*) cp '${built}/opa' "$2" ;; *) cp '${built}/pulumi' "$2" ;; esac
`,
  );
  return sandbox;
}

/** Waits for a set-up to end. */
export async function resultOf(child: ChildProcess): Promise<Result> {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}

async function listen(handler: http.RequestListener): Promise<http.Server> {
  const server = http.createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function address(server: http.Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A port that was free a moment ago, where nobody listens. */
async function unreachable(): Promise<string> {
  const server = await listen(() => {});
  const url = address(server);
  await new Promise((resolve) => server.close(resolve));
  return url;
}
