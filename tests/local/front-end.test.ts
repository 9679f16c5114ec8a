import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { docker, eventually, TestCloud, template, to } from "./cloud.ts";

describe("Front end with real containers", function () {
  this.timeout(90_000);
  let cloud: TestCloud;

  beforeEach(async () => {
    cloud = await TestCloud.start({ idleMs: 400, leaveMs: 100 });
    await cloud.create("opa");
  });
  afterEach(() => cloud.destroy());

  const addB = (percent: number, tag?: string) =>
    cloud.patch("opa", {
      template: template("opa-b", "b"),
      traffic: [to("opa-a", 100 - percent), to("opa-b", percent, tag)],
    });

  it("drops no request over 50 traffic shifts, on kept and on new connections", async () => {
    await addB(10);
    let isOver = false;
    const seen = new Map<string, number>();
    const load = (reset: boolean) =>
      (async () => {
        while (!isOver) {
          const reply = await cloud.ask("opa", { path: "/v1/data", body: '{"input":{}}', reset });
          assert.equal(reply.status, 200, reply.text);
          seen.set(String(reply.revision), (seen.get(String(reply.revision)) ?? 0) + 1);
        }
      })();
    const clients = [...Array.from({ length: 6 }, () => load(false)), load(true), load(true)];
    try {
      for (let shift = 0; shift < 50; shift++) {
        // Every fourth split takes a revision out altogether, so that containers stop and start under load.
        const percent = [100, 0, 30, 70][shift % 4] as number;
        const traffic = percent === 0 ? [to("opa-a", 100)] : [to("opa-a", 100 - percent), to("opa-b", percent)];
        const operation = await cloud.patch("opa", { traffic }, "?updateMask=traffic");
        assert.equal(operation.error, undefined);
        if (percent === 100) assert.equal((await cloud.ask("opa")).revision, "opa-b");
        if (percent === 0) assert.equal((await cloud.ask("opa")).revision, "opa-a");
      }
    } finally {
      isOver = true;
    }
    await Promise.all(clients);
    assert.ok((seen.get("opa-a") ?? 0) > 20 && (seen.get("opa-b") ?? 0) > 20, JSON.stringify([...seen]));
  });

  it("shares requests out by weight", async () => {
    await addB(25);
    let hits = 0;
    for (let i = 0; i < 400; i++) if ((await cloud.ask("opa")).revision === "opa-b") hits++;
    // Mean 100, standard deviation 8.7: six of them either way.
    assert.ok(hits > 48 && hits < 152, `${hits} of 400 at 25 %`);
  });

  it("a revision that leaves finishes the request it is reading", async () => {
    const port = Number(new URL(cloud.running.frontUrl).port);
    let finish = () => {};
    const reply = new Promise<{ status: number | undefined; revision: unknown }>((resolve, reject) => {
      const upload = httpRequest(
        {
          host: "127.0.0.1",
          port,
          path: "/v1/data",
          method: "POST",
          headers: { host: "opa.l.localhost", "transfer-encoding": "chunked" },
        },
        (response) => {
          response.resume();
          response.on("end", () =>
            resolve({ status: response.statusCode, revision: response.headers["x-serving-revision"] }),
          );
        },
      );
      upload.on("error", reject);
      upload.write('{"input":');
      finish = () => upload.end("{}}");
    });
    await eventually("the request is in flight", async () => {
      return (await cloud.revisionStats("opa", "opa-a")).inFlight === 1;
    });
    await cloud.patch("opa", { template: template("opa-b", "b"), traffic: [to("opa-b", 100)] });
    assert.equal((await cloud.ask("opa")).revision, "opa-b");
    // Longer than an idle revision is kept; it must outlive that for its request.
    await new Promise((resolve) => setTimeout(resolve, 1200));
    assert.equal((await cloud.revisionStats("opa", "opa-a")).container, "ready");
    finish();
    assert.deepEqual(await reply, { status: 200, revision: "opa-a" });
    await eventually(
      "the container stops",
      async () => (await cloud.revisionStats("opa", "opa-a")).container === "stopped",
    );
  });

  it("starts a revision that has only a tag for the request that asks for it", async () => {
    await addB(0, "vb");
    await eventually(
      "the idle container stops",
      async () => (await cloud.revisionStats("opa", "opa-b")).container === "stopped",
    );
    assert.deepEqual(await cloud.ask("vb---opa"), { status: 200, revision: "opa-b", text: "{}\n" });
    assert.equal((await cloud.revisionStats("opa", "opa-b")).container, "ready");
  });

  it("restarts a container that was killed and serves meanwhile", async () => {
    const { containerId } = await cloud.revisionStats("opa", "opa-a");
    await docker.getContainer(containerId).kill({ signal: "SIGKILL" });
    for (let i = 0; i < 30; i++) {
      const reply = await cloud.ask("opa", { path: "/v1/data", body: '{"input":{}}' });
      assert.equal(reply.status, 200, reply.text);
    }
    assert.equal((await cloud.revisionStats("opa", "opa-a")).container, "ready");
  });

  it("makes a container anew that somebody removed", async () => {
    const { containerId } = await cloud.revisionStats("opa", "opa-a");
    await docker.getContainer(containerId).remove({ force: true });
    await eventually("it serves again", async () => (await cloud.ask("opa")).status === 200);
    assert.notEqual((await cloud.revisionStats("opa", "opa-a")).containerId, containerId);
  });

  it("confines its containers", async () => {
    const { containerId } = await cloud.revisionStats("opa", "opa-a");
    const { HostConfig: host, NetworkSettings: network } = await docker.getContainer(containerId).inspect();
    assert.equal(host.ReadonlyRootfs, true);
    assert.deepEqual(host.CapDrop, ["ALL"]);
    assert.deepEqual(host.SecurityOpt, ["no-new-privileges"]);
    assert.deepEqual(
      network.Ports["8181/tcp"]?.map((binding) => binding.HostIp),
      ["127.0.0.1"],
    );
  });
});
