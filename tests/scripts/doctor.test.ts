import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseConfig } from "../../components/config.ts";
import { APIS } from "../../components/platform/apis.ts";
import type { Check, Finding, Surroundings } from "../../scripts/doctor/check.ts";
import { apis as apisCheck } from "../../scripts/doctor/checks/apis.ts";
import { clock } from "../../scripts/doctor/checks/clock.ts";
import { credentials } from "../../scripts/doctor/checks/credentials.ts";
import { permissions } from "../../scripts/doctor/checks/permissions.ts";
import { registry } from "../../scripts/doctor/checks/registry.ts";
import { service } from "../../scripts/doctor/checks/service.ts";
import { state } from "../../scripts/doctor/checks/state.ts";
import { tools } from "../../scripts/doctor/checks/tools.ts";
import { countProblems, examine, formatExamined } from "../../scripts/doctor/examine.ts";
import { readStackConfig } from "../../scripts/doctor/stack-config.ts";
import { FakeGoogle } from "../components/identity/google.ts";
import { PRODUCTION } from "../program/configurations.ts";
import { FakeApis, failed } from "./google/apis.ts";

const HOST = "us-central1-docker.pkg.dev";
const REPOSITORY = "projects/acme-authorization/locations/us-central1/repositories/flowpilot-opa";

/** A world in which a check looks around: a directory, Google on this machine, programs that say what a test wants. */
class World implements AsyncDisposable {
  readonly surroundings: Surroundings;
  readonly apis: FakeApis;
  readonly #saved = process.env.GOOGLE_OAUTH_ACCESS_TOKEN;

  private constructor(directory: string, apis: FakeApis, change: Record<string, string>) {
    this.apis = apis;
    process.env.GOOGLE_OAUTH_ACCESS_TOKEN = "test";
    this.surroundings = {
      stack: "prod",
      config: parseConfig(new Map(Object.entries({ ...PRODUCTION, ...change })), "prod"),
      directory,
      environment: { DOCKER_CONFIG: directory, PULUMI_BACKEND_URL: "gs://state", PATH: "", OPA: process.execPath },
      google: apis.google,
      run: async () => ({ code: 0, output: "1.0" }),
      now: () => new Date(),
    };
  }

  static async start(change: Record<string, string> = {}): Promise<World> {
    return new World(await mkdtemp(path.join(tmpdir(), "doctor-")), await FakeApis.start(), change);
  }

  /** Everything as it should be. */
  async healthy(): Promise<this> {
    const closed = { iamConfiguration: { publicAccessPrevention: "enforced" }, versioning: { enabled: true } };
    this.apis.bucket("state", closed);
    this.apis.bucket("state-history", { retentionPolicy: { retentionPeriod: String(400 * 86_400), isLocked: true } });
    for (const api of [...APIS, "serviceusage.googleapis.com", "cloudresourcemanager.googleapis.com"]) {
      this.apis.enabled.add(api);
    }
    for (const use of ["useToEncrypt", "useToDecrypt"]) this.apis.granted.add(`cloudkms.cryptoKeyVersions.${use}`);
    this.apis.repositories.set(REPOSITORY, { format: "DOCKER", dockerConfig: { immutableTags: true } });
    await this.write("config.json", JSON.stringify({ credHelpers: { [HOST]: "gcloud" } }));
    await this.write(
      "Pulumi.prod.yaml",
      "secretsprovider: gcpkms://projects/acme/locations/l/keyRings/pulumi/cryptoKeys/secrets\n",
    );
    return this;
  }

  async write(name: string, content: string): Promise<void> {
    await writeFile(path.join(this.surroundings.directory, name), content);
  }

  look(check: Check, change: Partial<Surroundings> = {}): Promise<Finding[]> {
    return check.look({ ...this.surroundings, ...change });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#saved === undefined) delete process.env.GOOGLE_OAUTH_ACCESS_TOKEN;
    else process.env.GOOGLE_OAUTH_ACCESS_TOKEN = this.#saved;
    await this.apis[Symbol.asyncDispose]();
    await rm(this.surroundings.directory, { recursive: true, force: true });
  }
}

/** Exactly one problem, which says this and how to mend it. */
function assertProblem(findings: Finding[], found: RegExp, fix: RegExp): void {
  const problems = findings.filter(({ status }) => status === "problem");
  assert.equal(problems.length, 1, JSON.stringify(findings));
  assert.match(problems[0]?.found ?? "", found);
  assert.match(problems[0]?.fix ?? "", fix);
}

function assertNone(findings: Finding[]): void {
  assert.deepEqual(
    findings.filter(({ status }) => status !== "ok"),
    [],
  );
  assert.ok(findings.length > 0);
}

describe("doctor: credentials", () => {
  it("says whose they are", async () => {
    await using world = await World.start();
    const findings = await world.look(credentials);
    assert.deepEqual(findings, [{ status: "ok", found: "deployer@acme.example" }]);
  });

  it("finds a token that Google refuses, or that is for too little", async () => {
    await using world = await World.start();
    world.apis.tokenInfo = { email: "a@b", scope: "openid" };
    assertProblem(await world.look(credentials), /without the scope/, /application-default login/);
    world.apis.refuse = () => failed(400, "invalid_token");
    assertProblem(await world.look(credentials), /refuses.*invalid_token/, /application-default login/);
  });
});

describe("doctor: clock", () => {
  for (const [seconds, status] of [
    [0, "ok"],
    [20, "note"],
    [-20, "note"],
    [400, "problem"],
    [-400, "problem"],
  ] as const) {
    it(`${seconds} s off is ${status}`, async () => {
      await using world = await World.start();
      const now = () => new Date(Date.now() + seconds * 1000);
      assert.equal((await world.look(clock, { now }))[0]?.status, status);
    });
  }
});

describe("doctor: APIs", () => {
  it("is content when all are on", async () => {
    await using world = await (await World.start()).healthy();
    assertNone(await world.look(apisCheck));
  });

  it("leaves to the deployment what the deployment switches on", async () => {
    await using world = await (await World.start()).healthy();
    world.apis.enabled.delete("run.googleapis.com");
    assert.equal((await world.look(apisCheck))[0]?.status, "note");
  });

  it("finds what has to be on before", async () => {
    await using world = await (await World.start()).healthy();
    world.apis.enabled.delete("cloudresourcemanager.googleapis.com");
    const fix = /gcloud services enable cloudresourcemanager.*--project=acme-authorization/;
    assertProblem(await world.look(apisCheck), /cloudresourcemanager/, fix);
  });

  it("finds a project that isn't there, or that the account may not see", async () => {
    await using world = await World.start();
    world.apis.refuse = () => failed(403, "Permission denied");
    assertProblem(await world.look(apisCheck), /acme-authorization can't be looked at/, /gcloud projects list/);
  });

  it("finds Service Usage itself off", async () => {
    await using world = await World.start();
    world.apis.refuse = () => failed(403, "off", "SERVICE_DISABLED");
    assertProblem(await world.look(apisCheck), /Service Usage API is off/, /gcloud services enable serviceusage/);
  });
});

describe("doctor: permissions", () => {
  it("names each missing one with a role that holds it", async () => {
    await using world = await World.start();
    const all = await world.look(permissions);
    assert.ok(all.length >= 7 && all.every(({ status }) => status === "problem"));
    assert.ok(all.some(({ fix }) => fix?.includes("--role=roles/run.admin")));
  });

  it("is content when all are granted, and asks for nothing that the configuration brings itself", async () => {
    await using world = await World.start({ serviceAccount: "a@acme-authorization.iam.gserviceaccount.com" });
    for (const finding of await world.look(permissions)) {
      for (const one of finding.found.replace("missing ", "").split(", ")) world.apis.granted.add(one);
    }
    assert.ok(!world.apis.granted.has("iam.serviceAccounts.create"));
    assertNone(await world.look(permissions));
  });
});

describe("doctor: registry", () => {
  it("is content with an immutable repository that Docker may push to", async () => {
    await using world = await (await World.start()).healthy();
    assertNone(await world.look(registry));
  });

  it("leaves a repository that isn't there to the first deployment", async () => {
    await using world = await (await World.start()).healthy();
    world.apis.repositories.clear();
    assert.match((await world.look(registry))[0]?.found ?? "", /isn't there yet/);
  });

  it("finds Docker without credentials", async () => {
    await using world = await (await World.start()).healthy();
    await world.write("config.json", "{}");
    assertProblem(
      await world.look(registry),
      /no credentials for us-central1-docker/,
      /gcloud auth configure-docker us-/,
    );
  });

  it("finds a repository of another kind, and tags that can be moved", async () => {
    await using world = await (await World.start()).healthy();
    world.apis.repositories.set(REPOSITORY, { format: "NPM" });
    assertProblem(await world.look(registry), /holds NPM/, /imageRepository/);
    world.apis.repositories.set(REPOSITORY, { format: "DOCKER" });
    assert.match((await world.look(registry))[0]?.found ?? "", /tags can be moved/);
  });

  it("finds a base image that can't be pulled", async () => {
    await using world = await (await World.start()).healthy();
    const run = async () => ({ code: 1, output: "manifest unknown" });
    assertProblem(await world.look(registry, { run }), /can't be found: manifest unknown/, /RepoDigests/);
  });
});

describe("doctor: state", () => {
  const backend = (url: string) => ({ environment: { PULUMI_BACKEND_URL: url } });

  it("is content with a versioned bucket, a locked history and a key", async () => {
    await using world = await (await World.start()).healthy();
    assertNone(await world.look(state));
  });

  it("is content with Pulumi Cloud", async () => {
    await using world = await World.start();
    assertNone(await world.look(state, backend("https://api.pulumi.com")));
  });

  it("finds production's state on one machine alone", async () => {
    await using world = await World.start();
    assertProblem(await world.look(state, backend("file:///tmp/x")), /this machine alone/, /bootstrap-backend/);
  });

  it("finds that nobody is logged in", async () => {
    await using world = await World.start();
    const environment = { PULUMI_HOME: world.surroundings.directory };
    assertProblem(await world.look(state, { environment }), /nobody is logged in/, /pulumi login/);
  });

  it("sees who logged in by bin/pulumi", async () => {
    await using world = await (await World.start()).healthy();
    const { directory } = world.surroundings;
    await mkdir(path.join(directory, ".tools/pulumi"), { recursive: true });
    await world.write(".tools/pulumi/credentials.json", '{ "current": "gs://state" }');
    assertNone(await world.look(state, { environment: { HOME: directory } }));
  });

  for (const [what, change, found, fix] of [
    ["no bucket", (apis: FakeApis) => apis.buckets.delete("state"), /no bucket state/, /bootstrap-backend/],
    [
      "a bucket without versions",
      (apis: FakeApis) => Object.assign(apis.buckets.get("state")?.settings ?? {}, { versioning: {} }),
      /no old versions/,
      /--versioning/,
    ],
    [
      "a bucket that could be public",
      (apis: FakeApis) => Object.assign(apis.buckets.get("state")?.settings ?? {}, { iamConfiguration: {} }),
      /could be made public/,
      /--public-access-prevention/,
    ],
    ["no history bucket", (apis: FakeApis) => apis.buckets.delete("state-history"), /for the history/, /bootstrap/],
    ["no retention", (apis: FakeApis) => apis.bucket("state-history"), /can be deleted/, /bootstrap-backend/],
    [
      "a retention that isn't locked",
      (apis: FakeApis) => apis.bucket("state-history", { retentionPolicy: { retentionPeriod: "864000" } }),
      /10 days, but that can be changed/,
      /--lock-retention-period/,
    ],
    [
      "a key that may be administered and not used",
      (apis: FakeApis) => apis.granted.delete("cloudkms.cryptoKeyVersions.useToEncrypt"),
      /may not be used: missing cloudkms.cryptoKeyVersions.useToEncrypt$/,
      /roles\/cloudkms.cryptoKeyEncrypterDecrypter/,
    ],
  ] as const) {
    it(`finds ${what}`, async () => {
      await using world = await (await World.start()).healthy();
      change(world.apis);
      assertProblem(await world.look(state), found, fix);
    });
  }

  it("notes secrets that hang on a passphrase", async () => {
    await using world = await (await World.start()).healthy();
    await world.write("Pulumi.prod.yaml", "encryptionsalt: v1:x\n");
    assert.ok((await world.look(state)).some(({ status, found }) => status === "note" && /passphrase/.test(found)));
  });
});

describe("doctor: tools", () => {
  it("finds a Docker engine that doesn't answer", async () => {
    await using world = await World.start();
    const run = async (program: string) =>
      program === "docker" ? { code: 1, output: "Cannot connect" } : { code: 0, output: "x" };
    assertProblem(await world.look(tools, { run }), /Cannot connect/, /start it/);
  });
});

describe("doctor: service", () => {
  const uri = "https://flowpilot-opa-abc-uc.a.run.app";
  const live = (path: string) =>
    path.startsWith("/v2/")
      ? { name: "s", uri, traffic: [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: "r1", percent: 100 }] }
      : {};

  /** The Admin API and the service are one server here; the first takes the access token, the second an ID token. */
  const look = async (google: FakeGoogle, world: World): Promise<Finding[]> => {
    process.env.GOOGLE_OAUTH_ACCESS_TOKEN = google.token(uri);
    return world.look(service);
  };

  it("is content when the service answers whoever deploys", async () => {
    await using world = await World.start();
    await using google = await FakeGoogle.start([uri], ({ url = "" }) => live(url));
    const findings = await look(google, world);
    assertNone(findings);
    assert.match(findings[0]?.found ?? "", /us-central1: r1 100 %/);
    assert.deepEqual(google.audiences, [uri]);
  });

  it("finds that the account may not ask", async () => {
    await using world = await World.start();
    await using google = await FakeGoogle.start([uri], ({ url = "" }) => live(url));
    google.deny = (path) => (path === "/health" ? 403 : undefined);
    assertProblem(await look(google, world), /may not ask/, /`invokers`/);
  });

  it("finds a service that isn't served to this machine, and says what ingress has to do with it", async () => {
    await using world = await World.start();
    await using google = await FakeGoogle.start([uri], ({ url = "" }) => live(url));
    google.deny = (path) => (path === "/health" ? 404 : undefined);
    assertProblem(await look(google, world), /isn't served to this machine/, /ingress is "internal"/);
  });

  it("leaves a service that isn't there to the first deployment", async () => {
    await using world = await World.start();
    await using google = await FakeGoogle.start([uri], () => ({}));
    google.deny = () => 404;
    assert.equal((await look(google, world))[0]?.status, "note");
  });
});

describe("doctor: all together", () => {
  const check = (name: string, cloud: boolean, look: Check["look"]): Check => ({ name, cloud, look });

  it("goes on when one check breaks, and keeps their order", async () => {
    await using world = await World.start();
    const examined = await examine(world.surroundings, [
      check("first", false, async () => Promise.reject(new Error("broke"))),
      check("second", true, async () => [{ status: "ok", found: "fine" }]),
    ]);
    assert.equal(countProblems(examined), 1);
    assert.match(formatExamined(examined), /FAIL {2}first {3}broke[\s\S]*ok {4}second {2}fine/);
  });

  it("asks nothing of the cloud without credentials", async () => {
    await using world = await World.start();
    world.apis.refuse = () => failed(401, "no");
    const examined = await examine(world.surroundings, [
      credentials,
      check("later", true, async () => assert.fail("asked")),
      check("here", false, async () => [{ status: "ok", found: "fine" }]),
    ]);
    assert.deepEqual(
      examined.map(({ findings }) => findings[0]?.status),
      ["problem", "skipped", "ok"],
    );
  });

  it("leaves the cloud out on a stack that isn't there", async () => {
    await using world = await World.start({ endpoint: "http://127.0.0.1:1" });
    const examined = await examine(world.surroundings, [check("cloud", true, async () => assert.fail("asked"))]);
    assert.deepEqual(examined, []);
  });
});

describe("readStackConfig", () => {
  it("reads a stack's file as Pulumi would", async () => {
    await using world = await World.start();
    const values = Object.entries(PRODUCTION).map(([key, value]) => `  flowpilot-policy:${key}: ${value}`);
    await world.write(
      "Pulumi.prod.yaml",
      ["config:", ...values, "  other:key: x", "  flowpilot-policy:slackWebhook: {secure: v1:x}"].join("\n"),
    );
    const config = await readStackConfig(world.surroundings.directory, "prod");
    assert.equal(config.project, "acme-authorization");
    assert.equal(config.invokers.length, 2);
  });

  it("says that there is no such stack", async () => {
    await using world = await World.start();
    await assert.rejects(readStackConfig(world.surroundings.directory, "staging"), /no stack "staging"/);
  });
});
