import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TrafficTarget } from "../../../components/cloudrun/api.ts";
import { budgets } from "../../../components/diff/budgets.ts";
import { create, type Outputs } from "../../../components/diff/provider.ts";
import { FaultyAdminApi, SERVICE } from "../cloudrun/admin-api.ts";

const MANIFEST = "policies/travel/manifest.yaml";
const EXPECTED = "policies/travel/expected-changes.yaml";

/** A repository with two releases, and a service where the newer one serves. */
class World implements AsyncDisposable {
  readonly root = mkdtempSync(path.join(tmpdir(), "way-back-"));
  readonly older: string;
  readonly newer: string;
  readonly #server = createServer((request, response) => this.answer(request, response));
  readonly api: FaultyAdminApi;
  readonly #cwd = process.cwd();
  /** What serves answers so. */
  answer: RequestListener = (_, response) => response.writeHead(500).end("broken");

  private constructor(api: FaultyAdminApi) {
    this.api = api;
    this.git("init", "--quiet", "--initial-branch=main");
    this.git("config", "user.name", "Ada");
    this.git("config", "user.email", "ada@example.com");
    this.older = this.commit({ [MANIFEST]: "package: a\n", [EXPECTED]: "changes: 3\n" });
    this.newer = this.commit({ [MANIFEST]: "package: a # newer\n", [EXPECTED]: "changes: []\n" });
    // Where policies are exported to.
    process.chdir(this.root);
  }

  static async start(): Promise<World> {
    const world = new World(await FaultyAdminApi.start([]));
    world.#server.listen(0, "127.0.0.1");
    await once(world.#server, "listening");
    world.serve([entry(`svc-${world.newer.slice(0, 7)}`, 100)]);
    return world;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  serve(traffic: TrafficTarget[]): void {
    this.api.write({ traffic, uri: this.url });
  }

  git(...args: string[]): string {
    return execFileSync("git", ["-C", this.root, ...args], { encoding: "utf8" }).trim();
  }

  commit(files: Record<string, string>): string {
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(this.root, file)), { recursive: true });
      writeFileSync(path.join(this.root, file), content);
    }
    this.git("add", "--all");
    this.git("commit", "--quiet", "-m", "policies");
    return this.git("rev-parse", "HEAD");
  }

  /** The diff of a release, whatever its verdict. */
  async diff(commit: string): Promise<Outputs & { reason?: string }> {
    const release = commit.slice(0, 7);
    try {
      const { outs } = await create({
        ...{ endpoint: this.api.endpoint, service: SERVICE, release, commit, revision: `svc-${release}` },
        ...{ taggedUrl: "http://127.0.0.1:1", gate: "PASSED", packages: { travel: "a" }, policyDigest: "sha256:x" },
        policyDir: path.join(this.root, "policies"),
        directory: path.join(this.root, "policies"),
        scenarioDir: this.root,
        replayDir: path.join(this.root, "replay"),
        ...{ budgets: budgets.parse({}), search: false, skip: false },
      });
      return outs as Outputs;
    } catch (error) {
      const { properties, reasons } = error as { properties: Outputs; reasons: string[] };
      if (properties === undefined) throw error;
      return { ...properties, reason: reasons.join("\n") };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.chdir(this.#cwd);
    this.#server.closeAllConnections();
    this.#server.close();
    await this.api[Symbol.asyncDispose]();
    rmSync(this.root, { recursive: true, force: true });
  }
}

function entry(revision: string, percent: number): TrafficTarget {
  return { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision, percent };
}

describe("the decision diff where what serves can't be compared with", function () {
  this.timeout(30_000);

  for (const [what, breakIt, why] of [
    ["answers 500", () => {}, /answered HTTP 500/],
    [
      "hangs",
      (world: World) => {
        world.answer = () => {};
      },
      /no reply within 5000 ms/,
    ],
    [
      "can't be reached",
      (world: World) => {
        world.answer = (request) => request.socket.destroy();
      },
      /Could not ask/,
    ],
    [
      "has no tag and not all of the traffic",
      (world: World) => world.serve([entry(`svc-${world.newer.slice(0, 7)}`, 90), entry("svc-x", 10)]),
      /serves 90 % .* has no tag/,
    ],
    [
      "answers, and something else keeps it from being compared",
      (world: World) => {
        const result = { hash: world.newer.slice(0, 7), commit: world.newer, policyDigest: "d", domains: ["travel"] };
        world.answer = (_, response) => response.end(JSON.stringify({ result }));
        world.git("checkout", "--quiet", world.older);
      },
      /expected-changes\.yaml/,
    ],
  ] as const) {
    it(`${what}: a way back is never blocked, and its record says why it wasn't compared`, async () => {
      await using world = await World.start();
      breakIt(world);
      const { verdict, summary, problems, serving, reason } = await world.diff(world.older);
      assert.equal(verdict, "PASSED", reason);
      assert.match(summary, /^could not compare: .*; not enforced, for it goes back to an ancestor of what serves$/s);
      assert.match(summary, why);
      const release = world.newer.slice(0, 7);
      assert.deepEqual([problems, serving], [[], { revision: `svc-${release}`, release }]);
    });
  }

  it("blocks a release that is no way back, and says how to go on", async () => {
    await using world = await World.start();
    const fix = world.commit({ [MANIFEST]: "package: a # fixed\n" });
    const { verdict, summary, reason = "" } = await world.diff(fix);
    assert.equal(verdict, "FAILED");
    assert.match(summary, /^could not compare: .*HTTP 500/);
    assert.match(reason, /go back first: `pulumi up -c release=HASH`/);
    assert.match(reason, /`pulumi up -c skipTests=true`/);
    assert.doesNotMatch(reason, /Declare what is meant/);
  });

  for (const [what, arrange] of [
    ["isn't named after a release", (world: World) => world.serve([entry("svc-00012-abc", 100)])],
    ["is named after a commit that git doesn't know", (world: World) => world.serve([entry("svc-0000000", 100)])],
    [
      "only has a branch's name",
      (world: World) => {
        world.git("branch", "fffffff", world.newer);
        world.serve([entry("svc-fffffff", 100)]);
      },
    ],
    [
      "is of the history's other side",
      (world: World) => {
        world.git("checkout", "--quiet", "--orphan", "other");
        world.serve([entry(`svc-${world.commit({ [MANIFEST]: "package: other\n" }).slice(0, 7)}`, 100)]);
      },
    ],
  ] as const) {
    it(`blocks where what serves ${what}: it can't be told to be a way back`, async () => {
      await using world = await World.start();
      arrange(world);
      assert.equal((await world.diff(world.older)).verdict, "FAILED");
    });
  }
});
