import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import type { OpenedStack } from "../../audit/open.ts";
import type { AttemptOutputs } from "../../components/audit/attempt-outputs.ts";
import { type EntryFiles, fold, GENESIS, type Head, type Leaf, leafOf } from "../../components/audit/chain.ts";
import { FileStore } from "../../components/audit/file-store.ts";
import type { RecordedHead } from "../../components/audit/head-annotation.ts";
import { type ChainRecord, makeRecord } from "../../components/audit/record.ts";
import { StoredHistory } from "../../components/audit/stored-history.ts";
import type { Split } from "../../components/cloudrun/traffic.ts";

/** What an update in a made-up history does. */
export interface Update {
  release: string;
  /** deployed; failed in preflight; rolled back by the live gate; refused by the checks; nothing new. */
  outcome: "deployed" | "preflight-failed" | "rolled-back" | "refused" | "unchanged";
  author?: string;
  subject?: string;
  operator?: string;
  skipTests?: boolean;
  promote?: string;
  overrideQuarantine?: string;
  overrideReason?: string;
  /** ms since 1970, at the commit. Default: an hour before. */
  committedAt?: number;
  /** Id of an update before it that was killed, which its record tells of. */
  killed?: string;
  /** Scenario results of this size are in each gate, bytes. */
  weight?: number;
}

type Resource = { urn: string; type: string; outputs: Record<string, unknown> };

export const PROJECT = "flowpilot-policy";
const serviceIn = (region: string) => `projects/p/locations/${region}/services/flowpilot-opa`;

/** `flowpilot-opa-<release>` */
export const revisionOf = (release: string) => `flowpilot-opa-${release}`;

/**
 * Makes a history in a directory, as Pulumi and this program write it, without running either: the same files, names, chain records and
 * attributes. For many entries, and for tampering with.
 */
export class MadeHistory {
  readonly root: string;
  readonly stack: string;
  readonly folder: string;
  readonly keys: string[] = [];
  /** ms since 1970 of the next update's start. */
  clock: number;
  /** What the last rollout left on the service; undefined before there was one. */
  recorded: RecordedHead | undefined;
  #head: Head = GENESIS;
  #sinceRecord: Leaf[] = [];
  /** Whether the state holds the record of an update that was killed. */
  #isLeft = false;
  #resources = new Map<string, Resource>();
  readonly #regions: string[];
  readonly #endpoint: string;
  /** What serves in each region. */
  readonly #live = new Map<string, Split>();

  constructor(root: string, options: { stack?: string; start?: number; regions?: string[]; endpoint?: string } = {}) {
    this.root = root;
    this.#endpoint = options.endpoint ?? "http://127.0.0.1:9";
    this.#regions = options.regions ?? ["l"];
    for (const region of this.#regions) this.#live.set(region, { "flowpilot-opa-bootstrap": 100 });
    this.stack = options.stack ?? "test";
    this.clock = options.start ?? Date.parse("2026-01-15T11:20:15Z");
    this.folder = path.join(root, ".pulumi/history", PROJECT, this.stack);
    mkdirSync(this.folder, { recursive: true });
    mkdirSync(path.join(root, ".pulumi/stacks", PROJECT), { recursive: true });
  }

  /** `pulumi up` */
  update(update: Update): string {
    const started = this.clock;
    const record = this.#record(started + 1000);
    const killed = update.killed === undefined ? undefined : { id: update.killed, startedAt: iso(started) };
    this.#put("flowpilot:policy:AuditRecord", "audit", { ...record, killed });
    this.#put("flowpilot:policy:Attempt", "attempt", describe(update, record.id, started));
    this.#resources.delete("attempt-failure");
    if (update.outcome === "refused") {
      this.#put("flowpilot:policy:AttemptFailure", "attempt-failure", {
        audit: record.id,
        reason: "its policies have 1 problem",
      });
      return this.#write("update", "failed", started, started + 3000, update);
    }
    for (const region of this.#regions) {
      const fullName = serviceIn(region);
      this.#put("flowpilot:policy:PolicyService", `service-${region}`, { fullName, uri: "http://127.0.0.1:9" });
    }
    if (update.outcome === "unchanged") return this.#write("update", "succeeded", started, started + 3000, update);
    const failed = update.outcome !== "deployed";
    this.#gate(update, "preflight", started + 2000, update.outcome === "preflight-failed", {
      region: this.#regions[0],
    });
    if (update.outcome !== "preflight-failed") {
      this.#rollOut(update, started, failed);
      const { after, count, head } = record;
      const ended = failed ? "rolled-back" : "proven";
      this.recorded = { audit: record.id, after, count, head, release: update.release, ended };
    }
    if (!failed) this.#retire(update.release);
    return this.#write("update", failed ? "failed" : "succeeded", started, started + 6000, update);
  }

  /** One region after the other; the last one fails, and takes all before it back. */
  #rollOut(update: Update, started: number, failed: boolean): void {
    const before = new Map(this.#live);
    for (const region of this.#regions) {
      const isLast = region === this.#regions.at(-1);
      const baseline = before.get(region) as Split;
      const live = { [revisionOf(update.release)]: 100 };
      const rolloutId = randomUUID();
      this.#put("pulumi-nodejs:dynamic/policy:TrafficSplit", `split-${region}-${update.release}`, {
        release: update.release,
        revision: revisionOf(update.release),
        percent: 100,
        ...{ rolloutId, baseline, live, service: serviceIn(region), endpoint: this.#endpoint },
        changedBy: "deployer@example.com",
        changedAt: iso(started + 3000),
        interrupted: false,
      });
      const others = this.#regions.filter((other) => other !== region);
      const elsewhere = others.map((other) => ({
        service: serviceIn(other),
        restoration: restoration(before.get(other) as Split, started + 4000),
      }));
      const isBad = failed && isLast;
      const ending = isBad ? { restoration: restoration(baseline, started + 4000), elsewhere } : {};
      this.#gate(update, "live", started + 4000, isBad, { region, rolloutId, ...ending });
      if (!failed) this.#live.set(region, live);
    }
  }

  /** `pulumi refresh`, after somebody moved the traffic by hand or not. */
  refresh(moved?: { split: Split; by: string; region?: string }): string {
    const started = this.clock;
    // It carries a record on that was left, so what that covers isn't named again.
    if (this.#isLeft) this.#sinceRecord = [];
    this.#isLeft = false;
    const region = moved?.region ?? (this.#regions[0] as string);
    if (moved !== undefined) this.#live.set(region, moved.split);
    for (const { type, outputs } of this.#resources.values()) {
      if (!type.endsWith("TrafficSplit")) continue;
      const own = this.#regions.find((one) => outputs.service === serviceIn(one)) as string;
      outputs.live = this.#live.get(own);
      if (moved !== undefined && own === region) {
        Object.assign(outputs, { changedBy: moved.by, changedAt: iso(started - 60_000) });
      }
    }
    return this.#write("refresh", "succeeded", started, started + 2000, {});
  }

  /** `pulumi destroy` */
  destroy(): string {
    this.#resources.clear();
    return this.#write("destroy", "succeeded", this.clock, this.clock + 2000, {});
  }

  /** An update that is killed once it has made its record: the state has that, the history nothing. */
  killed(release: string): string {
    const since = this.#sinceRecord;
    const record = this.#record(this.clock + 1000);
    // No entry holds that record, so the next goes on from the one before.
    this.#sinceRecord = since;
    this.#isLeft = true;
    this.#put("flowpilot:policy:AuditRecord", "audit", { ...record });
    this.#put("flowpilot:policy:Attempt", "attempt", describe({ release, outcome: "deployed" }, record.id, this.clock));
    writeFileSync(this.statePath, this.#checkpoint(this.clock + 2000));
    this.clock += 3_600_000;
    return record.id;
  }

  /** Somebody moves the traffic by hand, and no refresh follows. */
  moveUnseen(split: Split): void {
    this.#live.set(this.#regions[0] as string, split);
  }

  /** Somebody takes an entry out; the state stays. */
  remove(key: string): void {
    for (const kind of ["history", "checkpoint"] as const) {
      rmSync(this.file(key, kind));
      rmSync(`${this.file(key, kind)}.attrs`);
    }
  }

  /** The state gets an operation that began and whose end nobody saw. */
  addPending(): void {
    const state = JSON.parse(readFileSync(this.statePath, "utf8"));
    const urn = `urn:pulumi:${this.stack}::${PROJECT}::pulumi-nodejs:dynamic/policy:Retention::retention`;
    state.checkpoint.latest.pending_operations = [{ resource: { urn }, type: "creating" }];
    writeFileSync(this.statePath, JSON.stringify(state));
  }

  /** Leaves the stack's lock, as of a process of this machine; without one, as it is when its writing was cut off. */
  lock(pid?: number): void {
    const folder = path.join(this.root, ".pulumi/locks/organization", PROJECT, this.stack);
    mkdirSync(folder, { recursive: true });
    const lock = { pid, username: "root", hostname: hostname(), timestamp: new Date(this.clock).toISOString() };
    writeFileSync(path.join(folder, "one.json"), pid === undefined ? "{" : JSON.stringify(lock));
  }

  /** The stack, as it is read. */
  open(): OpenedStack {
    const source = new StoredHistory(new FileStore(this.root), PROJECT, this.stack);
    return { directory: this.root, project: PROJECT, stack: this.stack, source };
  }

  get statePath(): string {
    return path.join(this.root, ".pulumi/stacks", PROJECT, `${this.stack}.json`);
  }

  /** Path of one of an entry's files. */
  file(key: string, kind: "history" | "checkpoint"): string {
    return path.join(this.folder, `${this.stack}-${key}.${kind}.json`);
  }

  #record(startedAt: number): ChainRecord {
    const record = makeRecord({ head: this.#head, entries: this.#sinceRecord }, randomUUID(), iso(startedAt));
    this.#sinceRecord = [];
    this.#isLeft = false;
    return record;
  }

  #gate(
    update: Update,
    stage: string,
    startedAt: number,
    failed: boolean,
    { region, ...rollout }: { region?: string; rolloutId?: string; restoration?: unknown; elsewhere?: unknown },
  ): void {
    const skipped = update.skipTests === true;
    this.#put("pulumi-nodejs:dynamic/policy:RegressionGate", `${stage}-${region}-${update.release}`, {
      stage,
      release: update.release,
      revision: revisionOf(update.release),
      service: serviceIn(region ?? ""),
      policyDigest: "d".repeat(64),
      scenariosDigest: "e".repeat(64),
      verdict: skipped ? "SKIPPED" : failed ? "FAILED" : "PASSED",
      summary: skipped ? "tests skipped (skipTests)" : failed ? "1 of 2 scenarios passed" : "2 of 2 scenarios passed",
      failures: failed ? ["travel/suspended (persona), at once: expected deny, got allow"] : [],
      results: skipped ? [] : results(failed, update.weight ?? 0),
      previous: stage === "preflight" ? previous() : undefined,
      ...rollout,
      startedAt: iso(startedAt),
      endedAt: iso(startedAt + 500),
    });
  }

  /** A release that isn't in the program any more leaves the state. */
  #retire(current: string) {
    for (const [name, { type }] of this.#resources) {
      if (/RegressionGate|TrafficSplit/.test(type) && !name.endsWith(`-${current}`)) this.#resources.delete(name);
    }
  }

  #put(type: string, name: string, outputs: Record<string, unknown>) {
    const urn = `urn:pulumi:${this.stack}::${PROJECT}::${type}::${name}`;
    this.#resources.set(name, { urn, type, outputs: sorted(outputs) });
  }

  #checkpoint(time: number): string {
    const manifest = { time: iso(time), magic: "0", version: "3.259.0" };
    const latest = this.#resources.size === 0 ? { manifest } : { manifest, resources: [...this.#resources.values()] };
    return JSON.stringify({ version: 4, checkpoint: { stack: `organization/${PROJECT}/${this.stack}`, latest } });
  }

  #write(
    kind: string,
    result: string,
    startedAt: number,
    endedAt: number,
    { author, subject }: Partial<Update>,
  ): string {
    const key = `${Math.floor(endedAt)}${String(this.keys.length % 1000).padStart(3, "0")}123`;
    const history = JSON.stringify({
      kind,
      startTime: Math.floor(startedAt / 1000),
      message: subject ?? "a commit",
      environment: {
        "exec.kind": "cli",
        "git.author": author ?? "Ada",
        "git.author.email": "ada@example.com",
        "git.head": "0".repeat(40),
      },
      config: { "flowpilot-policy:project": "p" },
      version: 0,
      result,
      endTime: Math.floor(endedAt / 1000),
      resourceChanges: { same: this.#resources.size },
    });
    const entry: EntryFiles = {
      key,
      history: Buffer.from(history),
      checkpoint: Buffer.from(this.#checkpoint(endedAt)),
    };
    for (const part of ["history", "checkpoint"] as const) {
      const content = entry[part] as Buffer;
      writeFileSync(this.file(key, part), content);
      writeFileSync(
        `${this.file(key, part)}.attrs`,
        JSON.stringify({ md5: createHash("md5").update(content).digest("base64") }),
      );
    }
    writeFileSync(this.statePath, entry.checkpoint as Buffer);
    const leaf = leafOf(entry);
    this.#head = fold(this.#head, leaf);
    this.#sinceRecord.push(leaf);
    this.keys.push(key);
    this.clock += 3_600_000;
    return key;
  }
}

function describe(update: Update, audit: string, startedAt: number): AttemptOutputs & Record<string, unknown> {
  const { release, author, subject, operator, skipTests, promote, overrideQuarantine, overrideReason, committedAt } =
    update;
  return {
    audit,
    release,
    commit: release.padEnd(40, "0"),
    author: author ?? "Ada",
    email: "ada@example.com",
    subject: subject ?? "a commit",
    committedAt: iso(committedAt ?? startedAt - 3_600_000),
    pinned: false,
    operator: operator ?? "root@ci",
    skipTests: skipTests ?? false,
    dirtyFiles: [],
    promote,
    overrideQuarantine,
    overrideReason,
  };
}

/** A split that came back: decided, accepted and seen within the second. */
function restoration(split: Split, from: number): unknown {
  return {
    split,
    overtaken: false,
    observed: true,
    decidedAt: iso(from + 300),
    acceptedAt: iso(from + 400),
    lastAnswerAt: iso(from + 380),
  };
}

function results(failed: boolean, weight: number): unknown[] {
  const decision = (allow: boolean, passed: boolean) => ({
    name: "at once",
    expected: { allow: passed ? allow : !allow, reasons: [] },
    got: { allow, reasons: allow ? [] : ["auto_book.no_consent"] },
    latencyMs: 1.5,
    passed,
  });
  const made = [
    {
      name: "suspended",
      domain: "travel",
      category: "persona",
      passed: !failed,
      decisions: [decision(failed, !failed)],
    },
    { name: "owner-books", domain: "travel", category: "delegation", passed: true, decisions: [decision(true, true)] },
  ];
  const size = JSON.stringify(made).length;
  return Array.from({ length: Math.max(1, Math.round(weight / size)) }, () => made).flat();
}

function previous() {
  return {
    revision: "flowpilot-opa-bootstrap",
    scenarios: [
      { name: "suspended", domain: "travel", answers: [{ allow: false, reasons: [] }] },
      { name: "owner-books", domain: "travel", answers: [{ allow: true, reasons: [] }] },
    ],
  };
}

/** As Pulumi writes a state: members in the order of their names. */
function sorted(outputs: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(outputs, (_name, item: unknown) =>
      typeof item === "object" && item !== null && !Array.isArray(item)
        ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
        : item,
    ),
  );
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
