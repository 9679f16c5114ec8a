import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { formatSection, publishReport } from "../../scripts/ci/section.ts";
import { listen } from "../components/notify/listener.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

function run(
  script: string,
  env: Record<string, string>,
  ...parameters: string[]
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const all = [path.join(ROOT, "scripts/ci", script), ...parameters];
    execFile(process.execPath, all, { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

describe("a report of CI", () => {
  it("folds what passed and opens what failed", () => {
    assert.match(formatSection({ title: "Diff", code: 0, output: "fine" }), /^<details><summary><b>Diff<\/b>: passed/);
    assert.match(formatSection({ title: "Diff", code: 1, output: "no" }), /^<details open>.*failed \(exit code 1\)/);
    assert.match(formatSection({ title: "Diff", code: null, output: "" }), /could not run/);
  });

  it("is not ended by what a command prints", () => {
    const text = formatSection({ title: "x", code: 0, output: "```\n# heading\n````" });
    assert.match(text, /\n`````\n```\n# heading\n````\n`````\n/);
  });

  it("leaves out the escapes of a terminal, and the beginning of what is too long", () => {
    const text = formatSection({ title: "x", code: 0, output: `\u001b[31mred\u001b[0m${"y".repeat(20_000)}` });
    assert.ok(!text.includes("\u001b") && text.length < 13_000);
    assert.match(text, /the beginning is left out/);
  });

  it("goes to the next job whole, whatever is in it", async () => {
    const directory = mkdtempSync(path.join(tmpdir(), "ci-"));
    try {
      const file = path.join(directory, "output");
      const log = console.log;
      console.log = () => {};
      await publishReport([{ title: "x", code: 0, output: "EOF\nreport=forged" }], { GITHUB_OUTPUT: file }).finally(
        () => {
          console.log = log;
        },
      );
      const [first = "", ...rest] = readFileSync(file, "utf8").split("\n");
      const end = /^report<<(end-\S+)$/.exec(first)?.[1] ?? "";
      assert.ok(end !== "");
      assert.equal(rest.indexOf(end), rest.length - 2);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe("npm run ci:comment", () => {
  const env = {
    GITHUB_TOKEN: "secret-token",
    GITHUB_REPOSITORY: "acme/policies",
    PULL_REQUEST: "7",
    CHECKS: "the checks",
    PREVIEW: "",
  };

  it("makes one comment, and writes it anew the next time", async () => {
    const comments: { id: number; body: string; user: { type: string } }[] = [
      { id: 1, body: "<!-- flowpilot: what this change does --> forged", user: { type: "User" } },
    ];
    await using github = await listen((reply, { method, path: at, body }) => {
      if (method === "GET") return reply.end(JSON.stringify(comments));
      const text = JSON.parse(body).body as string;
      if (method === "POST") comments.push({ id: 2, body: text, user: { type: "Bot" } });
      else (comments.find(({ id }) => at.endsWith(`/${id}`)) ?? { body: "" }).body = text;
      return reply.end("{}");
    });
    const first = await run("comment.ts", { ...env, GITHUB_API_URL: github.url });
    assert.equal(first.code, 0, first.output);
    const second = await run("comment.ts", { ...env, CHECKS: "newer checks", GITHUB_API_URL: github.url });
    assert.equal(second.code, 0, second.output);
    assert.equal(comments.length, 2);
    assert.match(comments[1]?.body ?? "", /newer checks[\s\S]*No preview of production/);
    assert.match(comments[0]?.body ?? "", /forged/);
    assert.ok(!`${first.output}${second.output}`.includes("secret-token"));
  });

  it("says what it needs: 2", async () => {
    const { code, output } = await run("comment.ts", { ...env, PULL_REQUEST: "7; x" });
    assert.equal(code, 2);
    assert.match(output, /PULL_REQUEST \(a number\)/);
  });
});

describe("npm run ci:trusted-keys", () => {
  it("writes the keys that are set, and nothing else", async () => {
    const directory = mkdtempSync(path.join(tmpdir(), "ci-"));
    try {
      const keys = { FLOWPILOT_ALLOWED_SIGNERS: "ada@example.com ssh-ed25519 AAAA", FLOWPILOT_KEYRING: "" };
      const { code, output } = await run("trusted-keys.ts", keys, directory);
      assert.equal(code, 0, output);
      assert.equal(readFileSync(path.join(directory, "allowed_signers"), "utf8"), "ada@example.com ssh-ed25519 AAAA\n");
      assert.throws(() => readFileSync(path.join(directory, "keyring.asc")));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
