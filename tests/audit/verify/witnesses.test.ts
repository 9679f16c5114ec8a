import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { seal } from "../../../audit/commands/seal.ts";
import type { OpenedStack } from "../../../audit/open.ts";
import { runVerification } from "../../../audit/verify/run.ts";
import { chooseWitnesses, type Witness } from "../../../audit/verify/witnesses.ts";
import { recordedHeadOf, sealHead } from "../../../components/audit/head-annotation.ts";
import type { Places } from "../../../components/stack-file.ts";
import { FaultyAdminApi } from "../../components/cloudrun/admin-api.ts";
import { MadeHistory } from "../history.ts";

const OWN = "projects/p/locations/us-central1/services/flowpilot-opa";
const OTHER = "projects/p/locations/us-east1/services/flowpilot-opa";
const FOREIGN = "https://run.example.com";
const LOOPBACK = "http://127.0.0.1:8470";
const FILE = "/x/Pulumi.prod.yaml";

describe("chooseWitnesses", () => {
  const cases: {
    what: string;
    configured?: Places;
    named: Places;
    ask: Witness[];
    problem?: RegExp;
    note?: RegExp;
  }[] = [
    {
      what: "the services of the configuration, at Google's API",
      configured: { services: [OWN, OTHER] },
      named: { services: [OWN, OTHER] },
      ask: [
        { service: OWN, endpoint: undefined, isOwn: true },
        { service: OTHER, endpoint: undefined, isOwn: true },
      ],
    },
    {
      what: "where the configuration says they are",
      configured: { services: [OWN], endpoint: FOREIGN },
      named: { services: [OWN], endpoint: `${FOREIGN}/` },
      ask: [{ service: OWN, endpoint: FOREIGN, isOwn: true }],
    },
    {
      what: "also services that the history alone names, which aren't the stack's own for sure",
      configured: { services: [OWN] },
      named: { services: [OTHER] },
      ask: [
        { service: OWN, endpoint: undefined, isOwn: true },
        { service: OTHER, endpoint: undefined, isOwn: false },
      ],
      note: /the history names projects\/p\/locations\/us-east1.*, which \/x\/Pulumi\.prod\.yaml doesn't/,
    },
    {
      what: "not at an endpoint that the history alone names",
      configured: { services: [OWN] },
      named: { services: [OWN], endpoint: FOREIGN },
      ask: [{ service: OWN, endpoint: undefined, isOwn: true }],
      problem:
        /the history says .* "https:\/\/run\.example\.com", and \/x\/Pulumi\.prod\.yaml says Google's: .*credentials/,
    },
    {
      what: "not at another endpoint than the configuration's",
      configured: { services: [OWN], endpoint: LOOPBACK },
      named: { services: [OWN], endpoint: FOREIGN },
      ask: [{ service: OWN, endpoint: LOOPBACK, isOwn: true }],
      problem: /"https:\/\/run\.example\.com", and .* says http:\/\/127\.0\.0\.1:8470: /,
    },
    {
      what: "at a loopback endpoint that the history alone names, but the configuration's first",
      configured: { services: [OWN] },
      named: { services: [OWN], endpoint: LOOPBACK },
      ask: [
        { service: OWN, endpoint: undefined, isOwn: true },
        { service: OWN, endpoint: LOOPBACK, isOwn: false },
      ],
      note: /flowpilot-opa at http:\/\/127\.0\.0\.1:8470, which/,
    },
    {
      what: "what the history names where there is no configuration, at Google's API",
      named: { services: [OWN] },
      ask: [{ service: OWN, endpoint: undefined, isOwn: true }],
      note: /\/x\/Pulumi\.prod\.yaml doesn't say where the service is, so it is asked where the history says: projects\/p\//,
    },
    {
      what: "what the history names where there is no configuration, at a loopback endpoint",
      named: { services: [OWN], endpoint: LOOPBACK },
      ask: [{ service: OWN, endpoint: LOOPBACK, isOwn: true }],
      note: /where the history says/,
    },
    ...[FOREIGN, "", "nowhere", "http://127.0.0.1:1@run.example.com", "http://localhost.example.com"].map(
      (endpoint) => ({
        what: `nothing where there is no configuration and the history says ${JSON.stringify(endpoint)}`,
        named: { services: [OWN], endpoint },
        ask: [],
        note: /can't be ruled out by the service: .*credentials/,
      }),
    ),
    {
      what: "nothing that is no name of a service",
      configured: { services: [OWN] },
      named: { services: ["projects/p/locations/l/jobs/j", "projects/p/locations/l/services/../../x", "?"] },
      ask: [{ service: OWN, endpoint: undefined, isOwn: true }],
    },
  ];
  for (const { what, configured, named, ask, problem, note } of cases) {
    it(`asks ${what}`, () => {
      const chosen = chooseWitnesses({ file: FILE, places: configured }, named);
      assert.deepEqual(chosen.ask, ask);
      assert.equal(chosen.problems.length, problem === undefined ? 0 : 1);
      if (problem !== undefined) assert.match(chosen.problems[0]?.message ?? "", problem);
      assert.equal(chosen.notes.length, note === undefined ? 0 : 1, chosen.notes.join("\n"));
      if (note !== undefined) assert.match(chosen.notes[0] ?? "", note);
    });
  }
});

describe("who is asked about a history", () => {
  let api: FaultyAdminApi;
  let listener: Listener;
  let root: string;
  const token = process.env.GOOGLE_OAUTH_ACCESS_TOKEN;

  beforeEach(async () => {
    api = await FaultyAdminApi.start([]);
    listener = await Listener.start();
    root = mkdtempSync(path.join(tmpdir(), "audit-"));
    process.env.GOOGLE_OAUTH_ACCESS_TOKEN = "the-operators-token";
  });
  afterEach(async () => {
    if (token === undefined) delete process.env.GOOGLE_OAUTH_ACCESS_TOKEN;
    else process.env.GOOGLE_OAUTH_ACCESS_TOKEN = token;
    await api[Symbol.asyncDispose]();
    listener.stop();
    rmSync(root, { recursive: true });
  });

  /** A history of one deployment that names this endpoint, and the service with the head that it left. */
  const make = (endpoint: string, regions = ["us-central1"]): { history: MadeHistory; opened: OpenedStack } => {
    const history = new MadeHistory(root, { endpoint, regions });
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.update({ release: "bbbbbb2", outcome: "deployed" });
    assert.ok(history.recorded);
    api.write({ annotations: sealHead({}, history.recorded) });
    return { history, opened: history.open() };
  };
  const configure = (config: Record<string, unknown>) => {
    const entries = Object.entries(config).map(([key, value]) => [`flowpilot-policy:${key}`, value]);
    writeFileSync(path.join(root, "Pulumi.test.yaml"), JSON.stringify({ config: Object.fromEntries(entries) }));
  };

  it("gets no token where only the history names it: not for verifying, not for sealing", async () => {
    const { opened } = make(listener.foreignUrl);
    const found = await runVerification(opened);
    assert.deepEqual(listener.received, []);
    assert.deepEqual(found.confirmedBy, []);
    assert.match(found.notes.join("\n"), /can't be ruled out by the service/);
    await assert.rejects(seal(opened, { seal: true }), /not sealed: the state names no service/);
    assert.deepEqual(listener.received, []);
  });

  it("is the configuration's service, whatever the history says; and that it says something else is a problem", async () => {
    const { opened } = make(listener.foreignUrl);
    configure({ project: "p", region: "us-central1", endpoint: api.endpoint });
    const found = await runVerification(opened);
    assert.deepEqual(listener.received, []);
    assert.deepEqual(found.confirmedBy, ["the service flowpilot-opa"]);
    assert.equal(found.verdict, "NOT VERIFIED");
    assert.deepEqual(
      found.problems.map(({ kind }) => kind),
      ["inconsistent"],
    );
    await assert.rejects(seal(opened, { seal: true }), /not sealed, for the history isn't verified/);
  });

  it("shows that the end was cut off, though the history names another service than the configuration", async () => {
    const { history, opened } = make(listener.loopbackUrl, ["us-east1"]);
    configure({ project: "p", region: "us-central1", endpoint: api.endpoint });
    history.remove(history.keys[1] as string);
    history.addPending();
    listener.annotations = api.service.annotations as Record<string, string>;
    const found = await runVerification(opened);
    assert.notEqual(found.verdict, "VERIFIED");
    assert.deepEqual(found.confirmedBy, ["the service flowpilot-opa"]);
  });

  it("excuses no missing entry when it is a service that the history alone names", async () => {
    const { history, opened } = make(listener.loopbackUrl, ["us-east1"]);
    configure({ project: "p", region: "us-central1", endpoint: api.endpoint });
    const rollout = {
      ...{ id: "r", release: "bbbbbb2", revision: "r", baseline: {}, split: {}, by: "eve", host: "h", pid: 1 },
      ...{ startedAt: "2026-01-01T00:00:00Z", expiresAt: "2026-01-01T00:00:00Z", audit: history.recorded },
    };
    listener.annotations = { "flowpilot.dev/rollout": JSON.stringify(rollout) };
    history.remove(history.keys[1] as string);
    assert.equal((await runVerification(opened)).verdict, "NOT VERIFIED");
    history.addPending();
    assert.equal((await runVerification(opened)).verdict, "UNDECIDED");
  });

  it("is sealed: the configuration's service and no other", async () => {
    const { history, opened } = make(listener.loopbackUrl, ["us-east1"]);
    configure({ project: "p", region: "us-central1", endpoint: api.endpoint });
    await seal(opened, { seal: true });
    assert.equal(recordedHeadOf(api.service.annotations)?.ended, "sealed");
    assert.equal(recordedHeadOf(api.service.annotations)?.after, history.keys[1]);
    assert.deepEqual(
      listener.received.map(({ method }) => method),
      ["GET"],
    );
  });

  it("is sealed where the history says, on this machine, when there is no configuration", async () => {
    const { opened } = make(api.endpoint);
    await seal(opened, { seal: true });
    assert.equal(recordedHeadOf(api.service.annotations)?.ended, "sealed");
    assert.deepEqual((await runVerification(opened)).problems, []);
  });

  it("isn't sealed when it couldn't be asked: what it knows is compared first", async () => {
    const { history, opened } = make(api.endpoint);
    // Verifying asks once; sealing would ask again, and get through.
    api.order({ method: "GET", times: 1, fault: { kind: "status", status: 503 } });
    await assert.rejects(seal(opened, { seal: true }), /not sealed, for the service flowpilot-opa can't be reached/);
    assert.deepEqual(recordedHeadOf(api.service.annotations), history.recorded);
  });

  it("isn't sealed when it says something else than what the history was compared with", async () => {
    const { history, opened } = make(api.endpoint);
    const before = history.recorded;
    history.update({ release: "cccccc3", outcome: "deployed" });
    const later = history.recorded;
    assert.ok(before !== undefined && later !== undefined);
    // The first read is of before the last write: as if an update had ended between verifying and sealing.
    api.write({ annotations: sealHead({}, later) });
    api.order({ method: "GET", times: 1, fault: { kind: "stale" } });
    await assert.rejects(seal(opened, { seal: true }), /not sealed, for .* says something else by now/);
    assert.deepEqual(recordedHeadOf(api.service.annotations), later);
  });
});

/** An API that notes who asks; on a loopback address, and on one that isn't known as such. */
class Listener {
  readonly received: { method: string | undefined; authorization: string | undefined }[] = [];
  annotations: Record<string, string> = {};
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Listener> {
    const listener: Listener = new Listener(
      createServer(({ method, headers }, response) => {
        listener.received.push({ method, authorization: headers.authorization });
        response.end(JSON.stringify({ name: OTHER, etag: "1", annotations: listener.annotations }));
      }),
    );
    listener.#server.listen(0, "0.0.0.0");
    await once(listener.#server, "listening");
    return listener;
  }

  get loopbackUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Linux and macOS bring it to this machine, and yet it is no loopback address. */
  get foreignUrl(): string {
    return this.loopbackUrl.replace("127.0.0.1", "0.0.0.0");
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
