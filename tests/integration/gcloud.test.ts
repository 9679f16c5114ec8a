import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { request } from "node:http";
import path from "node:path";
import { text } from "node:stream/consumers";
import { promisify, stripVTControlCharacters } from "node:util";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { splitOf } from "../../components/cloudrun/traffic.ts";
import { readDeployedRelease } from "../../components/opa/client.ts";
import { hasGcloud } from "../local/has-gcloud.ts";
import { bookingBy } from "./decisions.ts";
import { failed, Load } from "./load.ts";
import { ROOT, TestProject } from "./project.ts";

const run = promisify(execFile);
const POLICY = "policies/travel/policy.rego";
const SERVICE = "projects/test/locations/us-central1/services/flowpilot-opa";

/** Runs a command that was printed, as a person pastes it into a shell that has read what `npm run local -- env` prints. */
async function paste(project: TestProject, command: string): Promise<string> {
  const place = ["--data", path.join(project.directory, "cloud"), "--project", "test", "--region", "us-central1"];
  const { stdout: environment } = await run(process.execPath, ["local/cli.ts", "env", ...place], { cwd: ROOT });
  const { stdout, stderr } = await run("sh", ["-c", 'eval "$1"; eval "$2"', "sh", environment, command]);
  return stripVTControlCharacters(stdout + stderr);
}

/** Where gcloud isn't installed: what it sends for such a command, as recorded from gcloud 528, by way of the same proxy. */
async function sendRecorded(project: TestProject, command: string): Promise<string> {
  const [, service, revision] =
    /^gcloud run services update-traffic (\S+) --to-revisions=(\S+)=100 /.exec(command) ?? [];
  assert.ok(service !== undefined && revision !== undefined, command);
  const path = `/apis/serving.knative.dev/v1/namespaces/test/services/${service}`;
  const before = await viaProxy(project.cloud.adminUrl, "GET", path);
  const tags = before.spec.traffic.filter(({ tag }) => tag !== undefined).map(({ percent: _, ...target }) => target);
  const traffic = [{ revisionName: revision, percent: 100 }, ...tags];
  const after = await viaProxy(project.cloud.adminUrl, "PUT", path, { ...before, spec: { ...before.spec, traffic } });
  return after.spec.traffic.map(({ revisionName, percent }) => `${percent ?? 0}% ${revisionName}`).join("\n");
}

interface KnativeService {
  spec: { traffic: { revisionName?: string; percent?: number; tag?: string }[] };
}

function viaProxy(adminUrl: string, method: string, path: string, body?: unknown): Promise<KnativeService> {
  const host = "us-central1-run.local.invalid";
  const headers = { host, authorization: "Bearer local", "user-agent": "google-cloud-sdk gcloud/528.0.0" };
  const { port } = new URL(adminUrl);
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: "127.0.0.1", port, method, path: `http://${host}${path}?alt=json`, headers },
      (reply) => {
        text(reply).then((answer) => {
          if (reply.statusCode === 200) resolve(JSON.parse(answer) as KnativeService);
          else reject(new Error(`${method} ${path}: ${reply.statusCode} ${answer}`));
        }, reject);
      },
    );
    asked.on("error", reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

describe("the printed rollback command", function () {
  this.timeout(300_000);

  const carryOut = hasGcloud() ? paste : sendRecorded;
  const by = hasGcloud() ? "by the real gcloud" : "as recorded (gcloud isn't installed here)";

  it(`moves the traffic at once, ${by}, and no request fails; it holds until a promotion or a new commit`, async () => {
    await using project = await TestProject.start();
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    const live = async () => splitOf((await client.getService(SERVICE)) as NonNullable<unknown> as never);
    assert.equal((await project.up()).code, 0);
    const { revision: old = "", version: first = "" } = await project.outputs();
    const next = await project.append(POLICY, "\n# next\n");
    const { rollbackCommand = "", serviceUrl = "" } = await project.outputs();
    assert.match(rollbackCommand, new RegExp(`--to-revisions=${old}=100`));

    const load = Load.start(serviceUrl, bookingBy("active"), 100);
    const said = await carryOut(project, rollbackCommand);
    const served = await readDeployedRelease(serviceUrl);
    const seen = await load.stop();
    assert.match(said, new RegExp(`100% +${old}`), said);
    assert.equal(served?.hash, first);
    assert.deepEqual(failed(seen), []);
    assert.deepEqual(await live(), { [old]: 100 });

    const refreshed = await project.pulumi("refresh", "--yes");
    assert.equal(refreshed.code, 0, refreshed.output);
    const split = (await project.state()).find(({ urn }) => urn.endsWith(`::split-${next}`));
    assert.deepEqual(split?.outputs?.live, { [old]: 100 });
    const who = String(split?.outputs?.changedBy);
    assert.notEqual(who, "");
    const hold = new RegExp(`HELD: ${who} moved traffic away from ${next} at 20\\S+; live is ${old} 100 %`);
    assert.match(refreshed.output, hold);

    const moved = await client.getService(SERVICE);
    assert.equal((moved as { client?: string } | undefined)?.client, "gcloud");
    const preview = await project.pulumi("preview");
    assert.match(preview.output, hold);
    const held = await project.up();
    assert.equal(held.code, 0, held.output);
    assert.match(held.output, hold);
    assert.equal((await client.getService(SERVICE))?.etag, moved?.etag, "nothing was written");
    assert.match((await project.outputs()).outcome ?? "", hold);

    const promoted = await project.up("-c", `promote=${next}`);
    assert.equal(promoted.code, 0, promoted.output);
    assert.deepEqual(await live(), { [`flowpilot-opa-${next}`]: 100 });

    // Once more by hand; a new commit deploys normally then, and what goes back is what served.
    await carryOut(project, (await project.outputs()).rollbackCommand ?? "");
    assert.deepEqual(await live(), { [old]: 100 });
    const newest = await project.append(POLICY, "\n# newest\n");
    const outputs = await project.outputs();
    assert.deepEqual([outputs.version, outputs.outcome, outputs.previousRevision], [newest, "DEPLOYED", old]);
    await carryOut(project, outputs.rollbackCommand ?? "");
    assert.deepEqual(await live(), { [old]: 100 });
  });
});
