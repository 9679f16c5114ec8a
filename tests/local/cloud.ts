import { execFile } from "node:child_process";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import Docker from "dockerode";
import { request } from "undici";
import type { Operation, Service } from "../../components/cloudrun/api.ts";
import { httpAgent } from "../../components/http.ts";
import { type LocalCloudRun, type LocalCloudRunOptions, startLocalCloudRun } from "../../local/server.ts";

const run = promisify(execFile);
const OPA = new URL("../../.tools/bin/opa", import.meta.url).pathname;

/** OPA without a policy, from the project's own binary. */
export const IMAGE = "flowpilot-test-opa:local";
export const PARENT = "projects/p/locations/l";
export const docker = new Docker();

/** Builds the test image unless the engine has it. */
export async function ensureImage(): Promise<void> {
  const exists = await docker
    .getImage(IMAGE)
    .inspect()
    .then(
      () => true,
      () => false,
    );
  if (exists) return;
  const context = await mkdtemp(join(tmpdir(), "flowpilot-image-"));
  try {
    await copyFile(OPA, join(context, "opa"));
    await writeFile(join(context, "Dockerfile"), 'FROM scratch\nCOPY opa /opa\nENTRYPOINT ["/opa"]\n');
    await run("docker", ["build", "--quiet", "--tag", IMAGE, context]);
  } finally {
    await rm(context, { recursive: true });
  }
}

/** A template of OPA. `mark` makes templates differ. */
export function template(revision: string | undefined, mark = "", args: string[] = []) {
  return {
    ...(revision !== undefined && { revision }),
    containers: [
      {
        image: IMAGE,
        args: ["run", "--server", "--addr=0.0.0.0:8181", "--disable-telemetry", "--log-level=error", ...args],
        env: [{ name: "MARK", value: mark }],
        ports: [{ containerPort: 8181 }],
        startupProbe: { httpGet: { path: "/health", port: 8181 }, periodSeconds: 1, failureThreshold: 20, grpc: null },
      },
    ],
  };
}

export const to = (revision: string, percent: number, tag?: string) => ({
  type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION" as const,
  revision,
  percent,
  ...(tag !== undefined && { tag }),
});

export interface Reply<T> {
  status: number;
  body: T;
}

/** A local Cloud Run of its own for a test, and how to talk to it. */
export class TestCloud {
  readonly running: LocalCloudRun;
  readonly dataDir: string;

  private constructor(running: LocalCloudRun, dataDir: string) {
    this.running = running;
    this.dataDir = dataDir;
  }

  static async start(options: Partial<LocalCloudRunOptions> = {}): Promise<TestCloud> {
    await ensureImage();
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "flowpilot-cloud-")));
    return new TestCloud(await startLocalCloudRun({ adminPort: 0, frontPort: 0, ...options, dataDir }), dataDir);
  }

  async destroy(): Promise<void> {
    await this.running.stop({ containers: "remove" });
    await rm(this.dataDir, { recursive: true, force: true });
  }

  api<T = Operation<Service>>(method: string, path: string, body?: unknown): Promise<Reply<T>> {
    return api(this.running.adminUrl, method, path, body);
  }

  done(reply: Reply<Operation<Service>>): Promise<Operation<Service>> {
    return done(this.running.adminUrl, reply);
  }

  /** Creates a service and waits for it. */
  async create(id: string, revision = `${id}-a`): Promise<void> {
    const operation = await this.done(
      await this.api("POST", `${PARENT}/services?serviceId=${id}`, { template: template(revision) }),
    );
    if (operation.error !== undefined) throw new Error(operation.error.message);
  }

  async patch(id: string, body: unknown, query = ""): Promise<Operation<Service>> {
    return this.done(await this.api("PATCH", `${PARENT}/services/${id}${query}`, body));
  }

  async service(id: string): Promise<Service> {
    return (await this.api<Service>("GET", `${PARENT}/services/${id}`)).body;
  }

  /** One request to the front end; `reset` uses a connection of its own. */
  async ask(host: string, options: { path?: string; body?: string; reset?: boolean } = {}) {
    const port = new URL(this.running.frontUrl).port;
    const reply = await request(`http://${host}.l.localhost:${port}${options.path ?? "/health"}`, {
      dispatcher: httpAgent(),
      method: options.body === undefined ? "GET" : "POST",
      body: options.body ?? null,
      reset: options.reset ?? false,
    });
    const text = await reply.body.text();
    return { status: reply.statusCode, revision: reply.headers["x-serving-revision"], text };
  }

  async revisionStats(id: string, revision: string) {
    const { services } = (
      await this.api<{ services: { name: string; revisions: RevisionStats[] }[] }>("GET", "", undefined)
    ).body;
    const stats = services
      .find((service) => service.name.endsWith(`/${id}`))
      ?.revisions.find((one) => one.name.endsWith(`/${revision}`));
    if (stats === undefined) throw new Error(`no stats of ${revision}`);
    return stats;
  }
}

interface RevisionStats {
  name: string;
  role: string;
  container: string;
  containerId: string;
  inFlight: number;
  requests: number;
}

/** A request to an Admin API; an empty path asks for the statistics. */
export async function api<T>(adminUrl: string, method: string, path: string, body?: unknown): Promise<Reply<T>> {
  const reply = await fetch(path === "" ? `${adminUrl}/local/stats` : `${adminUrl}/v2/${path}`, {
    method,
    headers: { authorization: "Bearer any" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: reply.status, body: (await reply.json()) as T };
}

/** The operation once it's done. Throws when the request itself was refused. */
export async function done(adminUrl: string, reply: Reply<Operation<Service>>): Promise<Operation<Service>> {
  if (reply.status !== 200) throw new Error(`HTTP ${reply.status}: ${JSON.stringify(reply.body)}`);
  if (reply.body.done === true) return reply.body;
  const waited = await api<Operation<Service>>(adminUrl, "POST", `${reply.body.name}:wait`, { timeout: "30s" });
  if (waited.body.done !== true) throw new Error(`${reply.body.name} isn't done after 30 s`);
  return waited.body;
}

/** Polls until `probe` gives a value that isn't undefined or false. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  patienceMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${patienceMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
