import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { type Split, splitOf, trafficFor } from "../../../components/cloudrun/traffic.ts";
import { UserError } from "../../../components/errors.ts";
import {
  describeEarlier,
  type EarlierRollout,
  giveBackUnless,
  proveEarlier,
  restoreEarlier,
} from "../../../components/regions/earlier.ts";
import { markRollout, quarantineOf, rolloutOf } from "../../../components/rollout/markers.ts";
import { stopWatching, watchOver } from "../../../components/rollout/watch.ts";
import { FaultyAdminApi } from "../cloudrun/admin-api.ts";

const REGIONS = ["r1", "r2"] as const;
const BEFORE: Split = { "svc-old": 100 };
const NEW: Split = { "svc-new": 100 };

const nameIn = (region: string) => `projects/p/locations/${region}/services/svc`;
const idIn = (region: string) => `rollout-${region}`;

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** One Admin API with a service in each region, all open on the new release; their main URLs answer from the one before. */
class Regions implements AsyncDisposable {
  readonly apis = new Map<string, FaultyAdminApi>();
  readonly #servers: Server[] = [];
  endpoint = "";

  static async start(): Promise<Regions> {
    const regions = new Regions();
    const old = { hash: "old", commit: "old", policyDigest: "sha256:old", domains: [] };
    const uri = await regions.#serve(createServer((_, response) => response.end(JSON.stringify({ result: old }))));
    for (const region of REGIONS) {
      const api = await FaultyAdminApi.start([]);
      api.service = { ...api.service, name: nameIn(region), uri };
      api.write({ traffic: trafficFor(NEW, []), annotations: markRollout(api.service, rolloutIn(region)) });
      regions.apis.set(region, api);
    }
    regions.endpoint = await regions.#serve(
      createServer((incoming, response) => void regions.#route(incoming, response)),
    );
    return regions;
  }

  in(region: string): FaultyAdminApi {
    return this.apis.get(region) as FaultyAdminApi;
  }

  get earlier(): EarlierRollout[] {
    return REGIONS.map((region) => {
      const { release, revision, baseline, id } = rolloutIn(region);
      return { service: nameIn(region), release, revision, baseline, rolloutId: id };
    });
  }

  async #serve(server: Server): Promise<string> {
    this.#servers.push(server);
    return listen(server);
  }

  async #route(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const region = /locations\/([^/]+)\//.exec(incoming.url ?? "")?.[1] ?? "";
    // The names of operations don't say the region, and all end alike.
    const api = this.apis.get(region) ?? this.in("r2");
    const reply = await request(`${api.endpoint}${incoming.url}`, {
      method: incoming.method as "GET",
      body: incoming.method === "GET" ? null : await text(incoming),
    });
    response.writeHead(reply.statusCode, { "content-type": "application/json" });
    response.end(await reply.body.text());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
    for (const api of this.apis.values()) await api[Symbol.asyncDispose]();
  }
}

function rolloutIn(region: string) {
  return {
    ...{ id: idIn(region), release: "new", revision: "svc-new", baseline: BEFORE, split: NEW },
    ...{ startedAt: "2026-01-01T00:00:00Z", expiresAt: "2027-01-01T00:00:00Z", by: "ada", host: "elsewhere", pid: 1 },
  };
}

const rolledBack = { kind: "rolled-back", reason: "wrong in r3", by: "ada", at: "2026-01-01T00:00:00Z" } as const;

function unreadable(status: number, times: number) {
  return { method: "GET", times, fault: { kind: "status", status } } as const;
}

async function until(what: () => boolean, ms: number): Promise<boolean> {
  const deadline = Date.now() + ms;
  while (!what() && Date.now() < deadline) await sleep(20);
  return what();
}

describe("regions before", function () {
  this.timeout(60_000);

  describe("restoreEarlier", () => {
    it("restores the others at once while one can't be read, and that one as soon as it can", async () => {
      await using regions = await Regions.start();
      regions.in("r1").order(unreadable(503, Number.POSITIVE_INFINITY));
      const restoring = restoreEarlier(regions.endpoint, regions.earlier, rolledBack);
      const other = regions.in("r2");
      assert.ok(await until(() => splitOf(other.service)["svc-old"] === 100, 2_000), "r2 didn't wait for r1");
      // The look itself is tried six times.
      assert.ok(await until(() => regions.in("r1").count("GET") > 7, 30_000));
      assert.deepEqual(splitOf(regions.in("r1").service), NEW);
      regions.in("r1").order();
      const restored = await restoring;
      assert.deepEqual(
        restored.map(({ service, restoration }) => [service, restoration?.split, restoration?.observed]),
        [
          [nameIn("r2"), BEFORE, true],
          [nameIn("r1"), BEFORE, true],
        ],
      );
      for (const region of REGIONS) {
        assert.equal(rolloutOf(regions.in(region).service), undefined);
        assert.ok("new" in quarantineOf(regions.in(region).service));
      }
    });

    it("says of one that can't be read what kept it, and throws nothing", async () => {
      await using regions = await Regions.start();
      regions.in("r1").order(unreadable(403, Number.POSITIVE_INFINITY));
      const [second, first] = await restoreEarlier(regions.endpoint, regions.earlier, rolledBack);
      assert.deepEqual([second?.service, second?.restoration?.split], [nameIn("r2"), BEFORE]);
      assert.deepEqual([first?.service, first?.restoration], [nameIn("r1"), undefined]);
      assert.match(first?.problem ?? "", /403 PERMISSION_DENIED/);
      assert.match(
        describeEarlier([first ?? { service: "" }])[0] ?? "",
        /^svc in r1: could NOT be restored: .*recover/,
      );
    });

    it("tries that one again when the engine ends, with its verdict", async () => {
      await using regions = await Regions.start();
      const { id, ...rollout } = rolloutIn("r1");
      watchOver({ endpoint: regions.endpoint, service: nameIn("r1"), rollout: { id, ...rollout } });
      regions.in("r1").order(unreadable(403, Number.POSITIVE_INFINITY));
      await restoreEarlier(regions.endpoint, regions.earlier, rolledBack);
      regions.in("r1").order();
      const launcher = globalThis as unknown as Record<symbol, () => Promise<void>>;
      await launcher[Symbol.for("flowpilot.engineGone")]?.();
      stopWatching(id);
      assert.deepEqual(splitOf(regions.in("r1").service), BEFORE);
      assert.equal(quarantineOf(regions.in("r1").service).new?.reason, "wrong in r3");
    });

    it("leaves those alone whose rollout has ended", async () => {
      await using regions = await Regions.start();
      regions.in("r1").write({ annotations: {} });
      const restored = await restoreEarlier(regions.endpoint, regions.earlier, rolledBack);
      assert.deepEqual(
        restored.map(({ service }) => service),
        [nameIn("r2")],
      );
      assert.deepEqual(splitOf(regions.in("r1").service), NEW);
    });
  });

  describe("giveBackUnless", () => {
    it("throws what the work throws, with a line for each region, one that can't be read too", async () => {
      await using regions = await Regions.start();
      regions.in("r1").order(unreadable(403, Number.POSITIVE_INFINITY));
      await assert.rejects(
        giveBackUnless(regions, Promise.reject(new Error("no traffic in r3"))),
        (error: UserError) => {
          const [why, second, first] = error.message.split("\n");
          assert.equal(why, "no traffic in r3");
          assert.match(second ?? "", /^svc in r2: rolled back too, svc-old 100 % serves again/);
          assert.match(first ?? "", /^svc in r1: could NOT be restored/);
          return true;
        },
      );
    });
  });

  describe("proveEarlier", () => {
    it("ends the others where one can't be read, and says so of that one", async () => {
      await using regions = await Regions.start();
      regions.in("r1").order(unreadable(403, Number.POSITIVE_INFINITY));
      await assert.rejects(proveEarlier(regions.endpoint, regions.earlier), (error: unknown) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, /^svc in r1: passed, but its rollout could NOT be ended: .*403 PERMISSION_DENIED/);
        assert.doesNotMatch(error.message, /r2/);
        return true;
      });
      assert.equal(rolloutOf(regions.in("r2").service), undefined);
      assert.deepEqual(splitOf(regions.in("r2").service), NEW);
      assert.equal(rolloutOf(regions.in("r1").service)?.id, idIn("r1"));
    });

    it("ends one that could not be read for a while", async () => {
      await using regions = await Regions.start();
      // All six tries of the look fail, and one after it.
      regions.in("r1").order(unreadable(503, 7));
      await proveEarlier(regions.endpoint, regions.earlier);
      for (const region of REGIONS) assert.equal(rolloutOf(regions.in(region).service), undefined, region);
    });
  });
});
