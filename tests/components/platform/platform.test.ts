import assert from "node:assert/strict";
import { alertPolicies } from "../../../components/platform/alerts.ts";
import { dashboard } from "../../../components/platform/dashboard.ts";
import { metricNames } from "../../../components/platform/metrics.ts";
import { parseRepository } from "../../../components/platform/repository.ts";
import { runtimeAccountId } from "../../../components/platform/runtime-account.ts";
import { PRODUCTION } from "../../program/configurations.ts";
import { type Registered, runProgram } from "../../program/program.ts";

describe("parseRepository", () => {
  it("takes an image name of Artifact Registry apart", () => {
    assert.deepEqual(parseRepository("europe-west1-docker.pkg.dev/acme/policies/opa"), {
      location: "europe-west1",
      project: "acme",
      repository: "policies",
    });
    assert.deepEqual(parseRepository("us-docker.pkg.dev/acme/policies/team/opa")?.location, "us");
  });

  for (const other of [
    "flowpilot-opa",
    "gcr.io/acme/opa",
    "registry.acme.example/a/b/c",
    "us-docker.pkg.dev/acme/opa",
  ]) {
    it(`knows that ${other} is none`, () => assert.equal(parseRepository(other), undefined));
  }
});

describe("runtimeAccountId", () => {
  for (const name of ["opa", "flowpilot-opa", "a".repeat(49), `${"a-".repeat(24)}b`]) {
    it(`is an account id for ${name}`, () => assert.match(runtimeAccountId(name), /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/));
  }

  it("tells long names apart", () => {
    assert.notEqual(runtimeAccountId(`${"a".repeat(40)}b`), runtimeAccountId(`${"a".repeat(40)}c`));
  });
});

describe("alerts and dashboard", () => {
  it("alerts stand on metrics that are there without this stack, or on log entries", () => {
    for (const [name, { conditions }] of Object.entries(alertPolicies("s"))) {
      assert.doesNotMatch(JSON.stringify(conditions), /logging\.googleapis\.com\/user/, name);
    }
  });

  it("the dashboard draws every log-based metric", () => {
    const drawn = JSON.stringify(dashboard("s"));
    for (const metric of Object.values(metricNames("s"))) {
      assert.ok(drawn.includes(`logging.googleapis.com/user/${metric}`), metric);
    }
  });

  it("tiles don't overlap and stay within the columns", () => {
    const { mosaicLayout } = dashboard("s") as {
      mosaicLayout: { columns: number; tiles: { xPos: number; yPos: number; width: number }[] };
    };
    const places = mosaicLayout.tiles.map(({ xPos, yPos }) => `${xPos} ${yPos}`);
    assert.equal(new Set(places).size, places.length);
    assert.ok(mosaicLayout.tiles.every(({ xPos, width }) => xPos + width <= mosaicLayout.columns));
  });
});

describe("the production stack", () => {
  const of = (resources: Registered[], type: string) => resources.filter((resource) => resource.type === type);

  it("lets only the declared callers ask, and from the project's network only", async () => {
    const { resources } = await runProgram("prod", PRODUCTION);
    const [binding] = of(resources, "gcp:cloudrunv2/serviceIamBinding:ServiceIamBinding");
    assert.deepEqual(binding?.inputs.members, JSON.parse(PRODUCTION.invokers ?? "").toSorted());
    assert.equal(binding?.inputs.role, "roles/run.invoker");
    const [service] = of(resources, "gcp:cloudrunv2/service:Service");
    assert.equal(service?.inputs.ingress, "INGRESS_TRAFFIC_INTERNAL_ONLY");
    assert.deepEqual(service?.inputs.scaling, { minInstanceCount: 1 });
  });

  it("runs as an account of its own that is given no role", async () => {
    const { resources } = await runProgram("prod", PRODUCTION);
    const [account] = of(resources, "gcp:serviceaccount/account:Account");
    assert.equal(account?.inputs.accountId, "flowpilot-opa-run");
    const grants = resources.filter(({ type }) => /iam(member|binding|policy)$/i.test(type));
    assert.deepEqual(
      grants.map(({ type }) => type),
      ["gcp:cloudrunv2/serviceIamBinding:ServiceIamBinding"],
    );
    for (const revision of of(resources, "pulumi-nodejs:dynamic/policy:PolicyRevision")) {
      const { serviceAccount } = revision.inputs.settings as { serviceAccount: string };
      assert.equal(serviceAccount, "flowpilot-opa-run@acme-authorization.iam.gserviceaccount.com");
    }
  });

  it("keeps images whose tags can't be moved, and removes none that has a tag", async () => {
    const { resources } = await runProgram("prod", PRODUCTION);
    const [repository] = of(resources, "gcp:artifactregistry/repository:Repository");
    assert.deepEqual(repository?.inputs.dockerConfig, { immutableTags: true });
    const policies = repository?.inputs.cleanupPolicies as { action: string; condition: { tagState: string } }[];
    for (const { action, condition } of policies) {
      assert.equal(condition.tagState, action === "DELETE" ? "UNTAGGED" : "TAGGED");
    }
  });

  it("has a place for Slack's secret, and never its value", async () => {
    const { resources } = await runProgram("prod", PRODUCTION);
    assert.equal(of(resources, "gcp:secretmanager/secret:Secret").length, 1);
    assert.equal(of(resources, "gcp:secretmanager/secretVersion:SecretVersion").length, 0);
  });
});
