import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Operation, Service } from "../../components/cloudrun/api.ts";
import { readDaemonRecord } from "../../local/lock.ts";
import { INSTANCE_LABEL } from "../../local/runtime/container-spec.ts";
import { startLocalCloudRun } from "../../local/server.ts";
import { Store } from "../../local/store.ts";
import { api, docker, done, ensureImage, eventually, PARENT, template, to } from "./cloud.ts";

const MAIN = fileURLToPath(new URL("../../local/main.ts", import.meta.url));
const CLI = fileURLToPath(new URL("../../local/cli.ts", import.meta.url));
const SERVICE = `${PARENT}/services/opa`;

describe("The daemon of the local Cloud Run", function () {
  this.timeout(60_000);
  let dataDir: string;
  let child: ChildProcess | undefined;

  beforeEach(async () => {
    await ensureImage();
    dataDir = await mkdtemp(join(tmpdir(), "flowpilot-daemon-"));
  });
  afterEach(async () => {
    const record = await readDaemonRecord(dataDir);
    if (record !== undefined && record.pid !== process.pid) {
      process.kill(record.pid, "SIGKILL");
      await eventually("it has ended", async () => (await readDaemonRecord(dataDir)) === undefined);
    }
    for (const id of await containerIds()) await docker.getContainer(id).remove({ force: true });
    await rm(dataDir, { recursive: true, force: true });
  });

  async function containerIds(): Promise<string[]> {
    const instance = await Store.readInstance(dataDir);
    if (instance === undefined) return [];
    const found = await docker.listContainers({ all: true, filters: { label: [`${INSTANCE_LABEL}=${instance}`] } });
    return found.map((container) => container.Id).sort();
  }

  async function launch(): Promise<string> {
    const started = spawn(process.execPath, [MAIN, "--data", dataDir, "--admin-port", "0", "--port", "0"], {
      stdio: "ignore",
    });
    child = started;
    return eventually("the daemon is up", async () => {
      const record = await readDaemonRecord(dataDir);
      return record?.pid === started.pid ? record?.adminUrl : undefined;
    });
  }

  async function kill(): Promise<void> {
    const exited = new Promise((resolve) => child?.once("exit", resolve));
    child?.kill("SIGKILL");
    await exited;
  }

  const cli = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      execFile(process.execPath, [CLI, ...args, "--data", dataDir], (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });

  const create = async (url: string) =>
    done(
      url,
      await api<Operation<Service>>(url, "POST", `${PARENT}/services?serviceId=opa`, { template: template("opa-a") }),
    );

  it("comes back after kill -9 with the same state and the same containers", async () => {
    let url = await launch();
    await create(url);
    const { name } = await done(
      url,
      await api<Operation<Service>>(url, "PATCH", SERVICE, { labels: { a: "b" }, traffic: [to("opa-a", 100, "va")] }),
    );
    const before = (await api<Service>(url, "GET", SERVICE)).body;
    const containers = await containerIds();
    await kill();
    url = await launch();
    const after = (await api<Service>(url, "GET", SERVICE)).body;
    const timeless = ({ uri: _uri, urls: _urls, trafficStatuses, ...rest }: Service) => ({
      ...rest,
      split: trafficStatuses.map(({ uri: _tagUri, ...target }) => target),
    });
    assert.deepEqual(timeless(after), timeless(before));
    const operation = (await api<Operation<Service>>(url, "GET", name)).body;
    assert.equal(operation.done, true);
    const { "@type": type, ...answer } = operation.response as Service & { "@type": string };
    assert.equal(type, "type.googleapis.com/google.cloud.run.v2.Service");
    assert.deepEqual(answer, after);
    assert.deepEqual(await containerIds(), containers);
    const record = await readDaemonRecord(dataDir);
    const reply = await fetch(`${record?.frontUrl}/health`, { headers: { host: "opa.l.localhost" } }).catch(
      () => undefined,
    );
    // fetch sets its own Host header, so the front end doesn't know the name, but it answers.
    assert.equal(reply?.status, 404);
  });

  it("ends an operation that a kill -9 interrupted", async () => {
    let url = await launch();
    await create(url);
    const reply = await api<Operation<Service>>(url, "PATCH", SERVICE, { template: template("opa-b", "b") });
    assert.equal(reply.body.done, false);
    await kill();
    url = await launch();
    const operation = await done(url, {
      status: 200,
      body: (await api<Operation<Service>>(url, "GET", reply.body.name)).body,
    });
    assert.equal(operation.error, undefined);
    const service = (await api<Service>(url, "GET", SERVICE)).body;
    assert.equal(service.reconciling, false);
    assert.equal(service.trafficStatuses[0]?.revision, "opa-b");
    assert.equal((await containerIds()).length, 2);
  });

  it("is alone in its data directory", async () => {
    await launch();
    await assert.rejects(
      startLocalCloudRun({ dataDir, adminPort: 0, frontPort: 0 }),
      /is running already \(process \d+\)/,
    );
  });

  it("start, status, stop and reset do what they say, and start twice is one daemon", async () => {
    assert.equal((await cli("status")).code, 3);
    const ports = ["--admin-port", "0", "--port", "0"];
    const [first, second] = await Promise.all([cli("start", ...ports), cli("start", ...ports)]);
    assert.equal(first.code, 0, first.stderr);
    assert.equal(second.code, 0, second.stderr);
    const pid = (await readDaemonRecord(dataDir))?.pid;
    assert.match(first.stdout, new RegExp(`process ${pid}`));
    assert.match(second.stdout, new RegExp(`process ${pid}`));
    const record = await readDaemonRecord(dataDir);
    await create(record?.adminUrl ?? "");
    const status = await cli("status");
    assert.equal(status.code, 0);
    assert.match(status.stdout, /opa {2}succeeded {2}http:\/\/opa\.l\.localhost:\d+\n {2}100 % {2}opa-a {2}ready/);
    assert.match((await cli("logs")).stdout, /Admin API/);
    assert.equal((await cli("stop")).code, 0);
    assert.equal(await readDaemonRecord(dataDir), undefined);
    const [id] = await containerIds();
    assert.equal((await docker.getContainer(id ?? "").inspect()).State.Running, false);
    assert.equal((await cli("reset")).code, 1);
    assert.equal((await cli("reset", "--yes")).code, 0);
    assert.equal((await docker.listContainers({ all: true, filters: { id: [id ?? ""] } })).length, 0);
  });

  it("says which port is taken", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = other.address() as { port: number };
      const { code, stderr } = await cli("start", "--admin-port", "0", "--port", String(port));
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`Port ${port} for the front end is in use by something else`));
    } finally {
      other.close();
    }
  });
});
