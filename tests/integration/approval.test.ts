import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { readDeployedRelease } from "../../components/opa/client.ts";
import { type As, Signing } from "../components/governance/signing.ts";
import { type Ended, ROOT, TestProject } from "./project.ts";

/** Ada writes policies and commits them; Grace and Heidi may approve; Mallory may not. The deployer is whoever the machine's git knows. */
describe("approval, with the real engine", function () {
  this.timeout(240_000);
  let project: TestProject;
  let people: Signing;
  const keys: Record<string, As> = {};
  let second: string;

  before(async () => {
    project = await TestProject.start();
    people = new Signing(project.repository);
    for (const name of ["ada", "grace", "heidi", "mallory"]) keys[name] = people.sshKey(name);
    await project.git("config", "user.email", "deployer@example.com");
    // The first release goes out without: there has to be something that serves.
    assert.equal((await project.up()).code, 0);
    await configure();
  });
  after(async () => {
    people?.[Symbol.dispose]();
    await project?.[Symbol.asyncDispose]();
  });

  const configure = (more: Record<string, unknown> = {}) =>
    project.configure({
      approval: "required",
      approvers: ["ada@example.com", "grace@example.com", { email: "heidi@example.com", logins: ["heidi-ci"] }],
      allowedSigners: people.allowedSigners,
      ...more,
    });

  /** Runs `npm run NAME` as somebody. */
  function npmRun(name: string, who: string, ...parameters: string[]): Promise<Ended> {
    const script = [path.join(ROOT, "scripts", `${name}.ts`), ...parameters];
    const env = { ...project.environment, ...Signing.environment(who, keys[who] ?? []) };
    const all = [...script, "--stack", "test", "--cwd", project.project];
    return new Promise((resolve) => {
      execFile(process.execPath, all, { env, cwd: ROOT }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), signal: null, output: stdout + stderr });
      });
    });
  }

  /** What answers at the main URL. */
  const liveRelease = async () => (await readDeployedRelease((await project.outputs()).serviceUrl ?? ""))?.hash;
  const tags = async (pattern: string) => (await project.git("tag", "--list", pattern)).split("\n").filter(Boolean);

  it("deploys without traffic, tests, and ends well as AWAITING_APPROVAL", async () => {
    const serving = (await project.outputs()).version;
    second = await project.append("policies/travel/policy.rego", "\n# The second release\n", { deploy: false });
    const { code, output } = await project.up();
    assert.equal(code, 0, output);
    assert.match(output, /preflight: \d+ of \d+ scenarios passed/);
    assert.match(output, /evidence {3}sha256:[0-9a-f]{64}/);
    const outputs = await project.outputs();
    assert.equal(outputs.version, serving);
    assert.match(
      outputs.outcome ?? "",
      new RegExp(
        `^AWAITING_APPROVAL: ${second} .* 0 of 1 approvals for evidence sha256:[0-9a-f]{64}.*npm run approve -- ${second}`,
      ),
    );
    assert.equal(await liveRelease(), serving);
    assert.match(outputs.taggedUrl ?? "", new RegExp(`v${second}---`));
  });

  it("waits on, as long as nobody approves, and moves nothing", async () => {
    const { code, output } = await project.up();
    assert.equal(code, 0, output);
    assert.notEqual(await liveRelease(), second);
  });

  it("refuses the author, whoever is no approver, and whoever isn't trusted, when they try to approve", async () => {
    const author = await npmRun("approve", "ada", second);
    assert.equal(author.code, 1, author.output);
    assert.match(author.output, /would not count: it is by ada@example\.com, who wrote the change/);
    const outsider = await npmRun("approve", "mallory", second);
    assert.match(outsider.output, /signed by mallory@example\.com, who is not among the approvers/);
    assert.deepEqual(await tags("policy-approve-*"), []);
  });

  it("refuses the one who deploys", async () => {
    await npmRun("approve", "heidi", second);
    assert.equal((await tags("policy-approve-*")).length, 1);
    project.environment.GITHUB_ACTOR = "Heidi-CI";
    const { code, output } = await project.up();
    delete project.environment.GITHUB_ACTOR;
    assert.equal(code, 0, output);
    assert.match(
      output,
      /not counted: policy-approve-.*heidi-example-com-\S+ is by heidi@example\.com, who deploys it/,
    );
    assert.notEqual(await liveRelease(), second);
  });

  it("takes an approval for other evidence for none: something changed in between", async () => {
    // The scenarios are part of the evidence: one is taken away after Heidi has approved.
    const file = "scenarios/travel/autobook-consent.yaml";
    await project.write(
      file,
      (await project.git("show", `HEAD:${file}`)).replace(/^description: .*$/m, "description: Changed"),
    );
    await project.commit("Another scenario");
    const { code, output } = await project.up();
    assert.equal(code, 0, output);
    assert.match(output, /not counted: .*is about other evidence .*something has changed since/);
    assert.notEqual(await liveRelease(), second);
  });

  it("shifts traffic once somebody allowed has approved exactly this", async () => {
    const approved = await npmRun("approve", "grace", second, "--reason", "Looks right");
    assert.equal(approved.code, 0, approved.output);
    assert.match(approved.output, /preflight {2}PASSED: /);
    assert.match(approved.output, /git push origin refs\/tags\/policy-approve-v/);
    const { code, output } = await project.up();
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`approval: ${second} is approved by grace@example\\.com`));
    assert.equal(await liveRelease(), second);
    assert.equal((await project.outputs()).outcome, "DEPLOYED");
  });

  it("leaves a released one alone, and lets a rollback to an older one pass", async () => {
    const again = await project.up();
    assert.equal(again.code, 0, again.output);
    assert.equal((await project.outputs()).outcome, "DEPLOYED");
    const first = (await project.git("rev-list", "--max-parents=0", "HEAD")).trim().slice(0, 7);
    const { code, output } = await project.up("-c", `release=${first}`);
    assert.equal(code, 0, output);
    assert.equal(await liveRelease(), first);
  });

  it("fails a release that was rejected, with the reason, whatever else is approved", async () => {
    await configure();
    const third = await project.append("policies/travel/policy.rego", "\n# The third release\n", { deploy: false });
    assert.equal((await project.up()).code, 0);
    assert.equal((await npmRun("approve", "grace", third)).code, 0);
    const no = await npmRun("reject", "heidi", third, "--reason", "Not before the audit");
    assert.equal(no.code, 0, no.output);
    const { code, output } = await project.up();
    assert.notEqual(code, 0);
    assert.match(output, new RegExp(`release ${third} is rejected`));
    assert.match(output, /by heidi@example\.com .*: Not before the audit/);
    assert.notEqual(await liveRelease(), third);
  });

  it("lets an emergency pass where the stack allows it, and shows it until it is reviewed", async () => {
    const fourth = await project.append("policies/travel/policy.rego", "\n# The fourth release\n", { deploy: false });
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const emergency = { breakGlass: fourth, breakGlassReason: "Travellers are locked out", breakGlassUntil: until };
    await configure(emergency);
    const refused = await project.up();
    assert.match(refused.output, /breakGlass: not allowed on this stack/);

    await configure({ ...emergency, allowBreakGlass: true });
    const { code, output } = await project.up();
    assert.equal(code, 0, output);
    assert.equal(await liveRelease(), fourth);
    assert.match((await project.outputs()).outcome ?? "", /^DEPLOYED \(BREAK GLASS: .*Travellers are locked out/);

    await configure({ allowBreakGlass: true });
    await project.up();
    assert.match((await project.outputs()).outcome ?? "", /BREAK GLASS/);
    const review = await npmRun("approve", "grace", fourth, "--review");
    assert.equal(review.code, 0, review.output);
    assert.equal((await project.up()).code, 0);
    assert.equal((await project.outputs()).outcome, "DEPLOYED");
  });
});
