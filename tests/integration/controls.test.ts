import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { readDeployedRelease } from "../../components/opa/client.ts";
import { type As, Signing } from "../components/governance/signing.ts";
import { type Ended, ROOT, TestProject } from "./project.ts";

describe("signatures and freeze windows, with the real engine", function () {
  this.timeout(240_000);
  let project: TestProject;
  let people: Signing;
  let grace: As;
  let first: string;
  before(async () => {
    project = await TestProject.start();
    people = new Signing(project.repository);
    grace = people.sshKey("grace");
    assert.equal((await project.up()).code, 0);
    first = (await project.outputs()).version ?? "";
  });
  after(async () => {
    people?.[Symbol.dispose]();
    await project?.[Symbol.asyncDispose]();
  });

  const live = async () => (await readDeployedRelease((await project.outputs()).serviceUrl ?? ""))?.hash;

  function sign(as: Record<string, string>, ...parameters: string[]): Promise<Ended> {
    const all = [path.join(ROOT, "scripts/sign.ts"), ...parameters, "--stack", "test", "--cwd", project.project];
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        all,
        { env: { ...project.environment, ...as }, cwd: ROOT },
        (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : Number(error.code), signal: null, output: stdout + stderr });
        },
      );
    });
  }

  it("a release without its signed tag is refused, in a preview too; with it, it goes out, and the signer is on record", async () => {
    const second = await project.append("policies/travel/policy.rego", "\n# Second\n", { deploy: false });
    await project.configure({ requireSignature: "tag", allowedSigners: people.allowedSigners });
    for (const command of ["preview", "up"]) {
      const refused = command === "up" ? await project.up() : await project.pulumi("preview");
      assert.notEqual(refused.code, 0);
      assert.match(
        refused.output,
        new RegExp(`tag policy-v${second} does not exist; sign it with .npm run sign -- ${second}`),
      );
    }
    const mallory = await sign(Signing.environment("mallory", people.sshKey("mallory", { trusted: false })), second);
    assert.equal(mallory.code, 1, mallory.output);
    assert.match(mallory.output, /unknown key: .*The tag was taken away again/);
    const signed = await sign(Signing.environment("grace", grace), second);
    assert.equal(signed.code, 0, signed.output);
    const { code, output } = await project.up();
    assert.equal(code, 0, output);
    assert.equal(await live(), second);
    const governance = (await project.state()).find(({ type }) => type === "flowpilot:policy:GovernanceChecks");
    assert.deepEqual((governance?.outputs?.signedBy as { emails: string[] } | undefined)?.emails, [
      "grace@example.com",
    ]);
  });

  it("keys in the repository that is deployed don't count", async () => {
    await project.write("allowed_signers", "mallory@example.com ssh-ed25519 AAAA\n");
    await project.configure({
      requireSignature: "tag",
      allowedSigners: path.join(project.repository, "allowed_signers"),
    });
    const { code, output } = await project.up();
    assert.notEqual(code, 0);
    assert.match(output, /lies in the repository that is deployed/);
  });

  it("a freeze window stops a deployment with when it ends, warns in a preview, and lets everything else pass", async () => {
    // From ten days ago to ten days ahead.
    const dayFromNow = (days: number) => {
      const day = new Date(Date.now() + days * 86_400_000);
      return `0 0 ${day.getUTCDate()} ${day.getUTCMonth() + 1} *`;
    };
    const freeze = [{ start: dayFromNow(-10), end: dayFromNow(10), timeZone: "UTC", why: "audit" }];
    await project.configure({ freeze });
    const same = await project.up();
    assert.equal(same.code, 0, same.output);

    const third = await project.append("policies/travel/policy.rego", "\n# Third\n", { deploy: false });
    const stopped = await project.up();
    assert.notEqual(stopped.code, 0);
    assert.match(stopped.output, new RegExp(`release ${third} is not deployed: a freeze window is on \\(audit\\)`));
    assert.match(stopped.output, /It ends at \d{4}-\d\d-\d\d 00:00 UTC/);
    assert.notEqual(await live(), third);
    const preview = await project.pulumi("preview");
    assert.equal(preview.code, 0, preview.output);
    assert.match(preview.output, /warning: release .* a freeze window is on/);

    const back = await project.up("-c", `release=${first}`);
    assert.equal(back.code, 0, back.output);
    assert.equal(await live(), first);
  });
});
