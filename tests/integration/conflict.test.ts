import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { userInfo } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { CloudRunError } from "../../components/cloudrun/errors.ts";
import { splitOf, trafficFor } from "../../components/cloudrun/traffic.ts";
import { rolloutOf } from "../../components/rollout/markers.ts";
import { ROOT, TestProject } from "./project.ts";

const run = promisify(execFile);
const POLICY = "policies/travel/policy.rego";
const SERVICE = "projects/test/locations/us-central1/services/flowpilot-opa";
/** Long enough for a second command to come and go while the first one's gate is at work. */
const SETTLE = { settleSeconds: 12 };

describe("two hands on one service", function () {
  this.timeout(240_000);

  it("a second update while one runs is refused: by whom, since when and what to do; the first one isn't touched", async () => {
    await using project = await TestProject.start({ ...SETTLE, canarySteps: [] });
    const first = project.start("up", "--yes", "--skip-preview");
    await printed(first, /live-\w+ creating/);
    const second = await project.up();
    assert.notEqual(second.code, 0);
    assert.match(second.output, /the stack is currently locked by 1 lock\(s\)/);
    assert.match(
      second.output,
      new RegExp(`created by ${userInfo().username}@\\S+ \\(pid ${first.pid}\\) at 20\\d\\d-\\d\\d-\\d\\dT`),
    );
    assert.match(second.output, /wait for the other process\(es\) to end or delete the lock file with `pulumi cancel`/);
    const { code, output } = await first.ended;
    assert.equal(code, 0, output);
    assert.equal((await project.outputs()).outcome, "DEPLOYED");
  });

  it("a second operator with another state is refused while a rollout is on; the first one isn't touched", async () => {
    await using project = await TestProject.start({ ...SETTLE, canarySteps: [] });
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    const first = project.start("up", "--yes", "--skip-preview");
    await printed(first, /live-\w+ creating/);
    const running = rolloutOf((await client.getService(SERVICE)) ?? {});
    assert.ok(running);

    const mine = project.environment.PULUMI_BACKEND_URL;
    const other = path.join(project.directory, "other-state");
    await mkdir(other);
    project.environment.PULUMI_BACKEND_URL = `file://${other}`;
    await project.configure({ ...SETTLE, canarySteps: [], drill: false });
    const created = await project.pulumi("stack", "init", "test", "--no-select");
    assert.equal(created.code, 0, created.output);
    const newer = await project.append(POLICY, "\n# newer\n", { deploy: false });
    const second = await project.up();
    assert.notEqual(second.code, 0);
    assert.match(
      second.output,
      new RegExp(`a rollout of ${running.release} by \\S+ is under way on flowpilot-opa since ${running.startedAt}`),
    );
    assert.match(second.output, /wait for it to end .*npm run recover/s);

    const { code, output } = await first.ended;
    assert.equal(code, 0, output);
    assert.deepEqual(await live(client), { [`flowpilot-opa-${running.release}`]: 100 });
    // When the first one has ended, the second one can: what it goes back to is what the first one left.
    await project.configure({ drill: false });
    const again = await project.up();
    assert.equal(again.code, 0, again.output);
    assert.equal((await project.outputs()).version, newer);
    assert.equal((await project.outputs()).previousRevision, `flowpilot-opa-${running.release}`);
    project.environment.PULUMI_BACKEND_URL = mine;
  });

  it("somebody who moves the traffic between two steps is not overwritten", async () => {
    await using project = await TestProject.start();
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    assert.equal((await project.up()).code, 0);
    const { revision: old = "" } = await project.outputs();
    await project.configure(SETTLE);
    const next = await project.append(POLICY, "\n# next\n", { deploy: false });
    const update = project.start("up", "--yes", "--skip-preview");
    await printed(update, /canary-10-\w+ creating/);
    const current = await client.getService(SERVICE);
    assert.ok(current);
    await client.patchService(current, { traffic: trafficFor({ [old]: 100 }, current.traffic) });
    const { code, output } = await update.ended;
    assert.notEqual(code, 0);
    assert.match(output, new RegExp(`moved the traffic of flowpilot-opa while ${next} was rolled out`));
    assert.match(output, new RegExp(`-c promote=${next}`));
    assert.deepEqual(await live(client), { [old]: 100 });

    // That was a rollback by hand, and it stays: the next update doesn't take the rollout up again.
    await project.configure({});
    const plain = await project.up();
    assert.equal(plain.code, 0, plain.output);
    assert.match(plain.output, new RegExp(`HELD: .* moved traffic away from ${next}.*promote=${next}`, "s"));
    assert.deepEqual(await live(client), { [old]: 100 });
    assert.match((await project.outputs()).outcome ?? "", /^HELD/);
    const promoted = await project.up("-c", `promote=${next}`);
    assert.equal(promoted.code, 0, promoted.output);
    assert.deepEqual(await live(client), { [`flowpilot-opa-${next}`]: 100 });
    assert.equal((await project.outputs()).outcome, "DEPLOYED");
  });

  it("a slow rollout that somebody has ended stops instead of overwriting", async () => {
    await using project = await TestProject.start();
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    assert.equal((await project.up()).code, 0);
    const { revision: old = "" } = await project.outputs();
    await project.configure(SETTLE);
    await project.append(POLICY, "\n# next\n", { deploy: false });
    const update = project.start("up", "--yes", "--skip-preview");
    await printed(update, /canary-10-\w+ creating/);
    const place = ["--endpoint", project.cloud.adminUrl, "--project", "test", "--region", "us-central1"];
    const recover = path.join(ROOT, "scripts/recover.ts");
    await assert.rejects(run(process.execPath, [recover, ...place]), /may still be under way/);
    await run(process.execPath, [recover, ...place, "--force"]);
    assert.deepEqual(await live(client), { [old]: 100 });
    const ended = await client.getService(SERVICE);
    const { code, output } = await update.ended;
    assert.notEqual(code, 0);
    assert.match(output, /ended by somebody else; nothing was overwritten/);
    assert.equal((await client.getService(SERVICE))?.etag, ended?.etag);
  });

  it("an API writer all along: no write of either side is lost, and the deployment succeeds", async () => {
    await using project = await TestProject.start();
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    assert.equal((await project.up()).code, 0);
    let running = true;
    let written = 0;
    let conflicts = 0;
    const writer = (async () => {
      while (running) {
        const current = await client.getService(SERVICE);
        assert.ok(current);
        const count = Number(current.annotations?.["test/count"] ?? 0) + 1;
        try {
          await client.patchService(current, { annotations: { ...current.annotations, "test/count": String(count) } });
          written += 1;
        } catch (error) {
          if (!(error instanceof CloudRunError && error.isConflict)) throw error;
          conflicts += 1;
        }
        await sleep(5);
      }
    })();
    const next = await project.append(POLICY, "\n# next\n", { deploy: false });
    const { code, output } = await project.up();
    running = false;
    await writer;
    assert.equal(code, 0, output);
    const after = await client.getService(SERVICE);
    assert.ok(after && written > 100, `${written} writes`);
    assert.equal(after.annotations?.["test/count"], String(written), `${conflicts} conflicts on the writer's side`);
    assert.deepEqual(splitOf(after), { [`flowpilot-opa-${next}`]: 100 });
    assert.equal(rolloutOf(after), undefined);
  });
});

async function live(client: CloudRun) {
  const service = await client.getService(SERVICE);
  assert.ok(service);
  return splitOf(service);
}

/** Waits until a command has printed something. */
async function printed(command: ReturnType<TestProject["start"]>, what: RegExp): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!what.test(command.output())) {
    if (Date.now() > deadline) throw new Error(`${what} wasn't printed: ${command.output()}`);
    await sleep(20);
  }
}
