import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { type Ended, ROOT, TestProject } from "./project.ts";

describe("npm run watch, against a real stack", function () {
  this.timeout(180_000);
  let project: TestProject;
  before(async () => {
    project = await TestProject.start();
  });
  after(() => project?.[Symbol.asyncDispose]());

  function watch(...parameters: string[]): Promise<Ended> {
    const all = [path.join(ROOT, "scripts/watch.ts"), "--stack", "test", "--cwd", project.project, ...parameters];
    return new Promise((resolve) => {
      execFile(process.execPath, all, { env: project.environment, cwd: ROOT }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), signal: null, output: stdout + stderr });
      });
    });
  }

  it("can't tell before there is a service: 1", async () => {
    const { code, output } = await watch();
    assert.equal(code, 1, output);
    assert.match(output, /doesn't exist; deploy it with `pulumi up` first/);
  });

  it("finds nothing wrong after a deployment: 0; a commit that isn't deployed: 3, in time", async () => {
    assert.equal((await project.up()).code, 0);
    const good = await watch("--after", "0");
    assert.equal(good.code, 0, good.output);
    const hash = await project.append("policies/travel/policy.rego", "\n# Newer\n", { deploy: false });
    assert.equal((await watch("--after", "60")).code, 0);
    const late = await watch("--after", "0");
    assert.equal(late.code, 3, late.output);
    assert.match(late.output, new RegExp(`not-serving: ${hash} was committed 0 min ago`));
    assert.equal((await project.up()).code, 0);
    assert.equal((await watch("--after", "0")).code, 0);
  });

  it("finds traffic that somebody moved to what the state doesn't know: 5", async () => {
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    const name = "projects/test/locations/us-central1/services/flowpilot-opa";
    const service = await client.getService(name);
    assert.ok(service);
    const older = (await project.git("rev-list", "--max-parents=0", "HEAD")).trim().slice(0, 7);
    // A release before the one before: by now no split in the state speaks of it.
    await project.append("policies/travel/policy.rego", "\n# Newest\n");
    const now = await client.getService(name);
    assert.ok(now);
    await client.patchService(now, {
      traffic: [
        { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: `flowpilot-opa-${older}`, percent: 100 },
        ...now.traffic.filter(({ tag }) => tag !== undefined && tag !== "").map(({ percent: _, ...tag }) => tag),
      ],
    });
    const { code, output } = await watch("--after", "0");
    assert.equal(code, 5, output);
    assert.match(output, new RegExp(`unknown-live: flowpilot-opa-${older} serves`));
  });

  it("refuses wrong usage: 2", async () => {
    assert.equal((await watch("--after", "soon")).code, 2);
  });
});
