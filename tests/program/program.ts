import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { load } from "js-yaml";
import { MockAgent } from "undici";
import { replaceHttpAgent } from "../../components/http.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

export interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

export interface Ran {
  /** Every resource, in the order of their names. */
  resources: Registered[];
  /** Every function that was invoked. */
  invoked: { token: string; inputs: Record<string, unknown> }[];
  outputs: Record<string, unknown>;
}

/**
 * Runs index.ts with Pulumi's mocks: nothing is created, and every resource answers with what it was given and what the cloud would add. The commit is a
 * real one in a temporary repository, made with fixed times, so that its hash is always the same. @param stack whose configuration file is used
 */
export async function runProgram(stack: string, change: Record<string, string> = {}): Promise<Ran> {
  const directory = mkdtempSync(path.join(tmpdir(), "program-"));
  const savedPath = process.env.PATH;
  const savedToken = process.env.GOOGLE_OAUTH_ACCESS_TOKEN;
  const agent = emptyCloud();
  try {
    process.env.PATH = `${dockerWithoutImages(directory)}:${savedPath}`;
    process.env.GOOGLE_OAUTH_ACCESS_TOKEN = "test";
    replaceHttpAgent(agent);
    const repository = makeRepository(directory);
    const config = {
      ...readStack(stack),
      policyDir: `${repository}/policies`,
      scenarioDir: `${repository}/scenarios`,
      ...change,
    };
    return await run(stack, config, repository);
  } finally {
    process.env.PATH = savedPath;
    if (savedToken === undefined) delete process.env.GOOGLE_OAUTH_ACCESS_TOKEN;
    else process.env.GOOGLE_OAUTH_ACCESS_TOKEN = savedToken;
    replaceHttpAgent(undefined);
    await agent.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function run(stack: string, config: Record<string, string>, repository: string): Promise<Ran> {
  const ran: Ran = { resources: [], invoked: [], outputs: {} };
  const replace = (value: unknown) => JSON.parse(JSON.stringify(value ?? null).replaceAll(repository, "<repository>"));
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(config).map(([key, value]) => [`flowpilot-policy:${key}`, value])),
  );
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, id }) => {
        // What a provider's code is, serialized, is no decision of the program.
        const { __provider: _, ...rest } = inputs;
        ran.resources.push({ type, name, inputs: replace(rest) });
        return { id: id || idOf(type, inputs), state: { ...inputs, ...answerOf(type, inputs) } };
      },
      call: ({ token, inputs }) => {
        ran.invoked.push({ token, inputs: replace(inputs) });
        return { stdout: governanceAnswer(), stderr: "" };
      },
    },
    "flowpilot-policy",
    stack,
    false,
  );
  // The mock monitor knows no hooks: a registration would never be answered.
  Object.assign(pulumi.runtime.getMonitor() ?? {}, {
    registerResourceHook: (_request: unknown, done: (error: null, reply: object) => void) => done(null, {}),
  });
  // A module is run once; the query makes it another one.
  const program = await import(`../../index.ts?run=${Math.random()}`);
  for (const [key, value] of Object.entries(program.default)) {
    ran.outputs[key] = await new Promise((resolve) => pulumi.output(value as object).apply(resolve));
  }
  await pulumi.runtime.disconnect();
  ran.resources.sort((a, b) => `${a.type} ${a.name}`.localeCompare(`${b.type} ${b.name}`));
  return ran;
}

function idOf(type: string, inputs: Record<string, unknown>): string {
  return type === "gcp:cloudrunv2/service:Service"
    ? `projects/p/locations/${inputs.location}/services/${inputs.name}`
    : "id";
}

/** What the cloud adds to a resource that was created. */
function answerOf(type: string, inputs: Record<string, unknown>): Record<string, unknown> {
  switch (type) {
    case "docker:index/image:Image":
      return { repoDigest: `${inputs.imageName}@sha256:0` };
    case "gcp:serviceaccount/account:Account":
      return { email: `${inputs.accountId}@${inputs.project}.iam.gserviceaccount.com` };
    case "gcp:cloudrunv2/service:Service":
      return { uri: "https://service.example" };
    case "pulumi-nodejs:dynamic/policy:PolicyRevision":
      return {
        revision: `flowpilot-opa-${inputs.release}`,
        tag: `v${inputs.release}`,
        taggedUrl: "https://tag.example",
        uid: "uid",
        adopted: false,
      };
    case "pulumi-nodejs:dynamic/policy:TrafficSplit":
      return {
        rolloutId: "rollout",
        baseline: { "flowpilot-opa-bootstrap": 100 },
        live: { [`flowpilot-opa-${inputs.release}`]: 100 },
        changedBy: "",
        changedAt: "2026-01-01T00:00:00Z",
      };
    case "pulumi-nodejs:dynamic/policy:DecisionDiff":
    case "pulumi-nodejs:dynamic/policy:RollbackDrill":
    case "pulumi-nodejs:dynamic/policy:RegressionGate":
      return { verdict: inputs.skip ? "SKIPPED" : "PASSED", results: [] };
    default:
      return {};
  }
}

function governanceAnswer(): string {
  const tests = { passed: 1, failed: 0, skipped: 0 };
  return JSON.stringify({ problems: [], warnings: [], domains: [{ domain: "travel", package: "auto_book", tests }] });
}

/** Google's API, where nothing exists yet. */
function emptyCloud(): MockAgent {
  const agent = new MockAgent();
  agent.disableNetConnect();
  const missing = { error: { code: 404, message: "not found", status: "NOT_FOUND" } };
  for (const origin of ["https://run.googleapis.com", "http://127.0.0.1:8470"]) {
    agent
      .get(origin)
      .intercept({ path: () => true })
      .reply(404, missing)
      .persist();
  }
  return agent;
}

function dockerWithoutImages(directory: string): string {
  const bin = path.join(directory, "bin");
  mkdirSync(bin);
  writeFileSync(path.join(bin, "docker"), '#!/bin/sh\necho "Error: No such image" >&2\nexit 1\n');
  chmodSync(path.join(bin, "docker"), 0o755);
  return bin;
}

function makeRepository(directory: string): string {
  const repository = path.join(directory, "repository");
  for (const folder of ["policies/travel", "scenarios/travel"]) {
    mkdirSync(path.join(repository, folder), { recursive: true });
  }
  writeFileSync(path.join(repository, "policies/travel/policy.rego"), "package auto_book\n");
  cpSync(path.join(ROOT, "tests/program/scenario.yaml"), path.join(repository, "scenarios/travel/scenario.yaml"));
  const when = "2026-01-01T00:00:00Z";
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", repository, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", ...args], {
      env: {
        ...process.env,
        GIT_AUTHOR_DATE: when,
        GIT_COMMITTER_DATE: when,
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_CONFIG_SYSTEM: "/dev/null",
      },
    });
  git("init", "--quiet", "--initial-branch=main");
  git("add", "--all");
  git("commit", "--quiet", "--message", "The first policy");
  return repository;
}

function readStack(stack: string): Record<string, string> {
  const { config } = load(readFileSync(path.join(ROOT, `Pulumi.${stack}.yaml`), "utf8")) as {
    config: Record<string, unknown>;
  };
  const entries = Object.entries(config).map(([key, value]) => [
    key.replace(/^flowpilot-policy:/, ""),
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return Object.fromEntries(entries);
}
