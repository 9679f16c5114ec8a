import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../components/errors.ts";
import type { Google, Reply } from "../google/api.ts";
import { type BackendNames, historyBucket, keyName } from "./names.ts";

export interface BootstrapOptions extends BackendNames {
  /** Days for which nobody can delete or change a copy of the history. */
  retentionDays: number;
  /** Locks the retention, which can't be undone. */
  lock: boolean;
  /** For each thing that was done or found done. */
  report: (line: string) => void;
}

const APIS = ["storage.googleapis.com", "cloudkms.googleapis.com", "cloudresourcemanager.googleapis.com"];
const DAY = 86_400;
/** A key older than this is followed by a new version; what the old ones encrypted can still be read. */
const ROTATION_DAYS = 90;

/**
 * Makes what the state of the stack is kept in: a versioned bucket, a second one for copies of the history that nobody can delete for a time, and a key for
 * secrets. What is there already is brought to what it should be and otherwise left alone, so it can be run again.
 * @throws UserError with Google's words when something is refused.
 */
export async function bootstrap(google: Google, options: BootstrapOptions): Promise<void> {
  const { project, bucket, report } = options;
  await enableApis(google, project, report);
  await ensureBucket(google, bucket, options, { versioning: { enabled: true } });
  await ensureBucket(google, historyBucket(bucket), options, {});
  await ensureRetention(google, historyBucket(bucket), options);
  await ensureKey(google, options);
}

async function enableApis(google: Google, project: string, report: (line: string) => void): Promise<void> {
  const started = await google.post("serviceusage", `v1/projects/${project}/services:batchEnable`, {
    serviceIds: APIS,
  });
  let operation = accept(started, `APIs of project ${project}`, "roles/serviceusage.serviceUsageAdmin");
  for (let waited = 0; operation.done !== true && typeof operation.name === "string"; waited++) {
    if (waited > 60)
      throw new UserError(`enabling ${APIS.join(", ")} in ${project} didn't end within 2 minutes; run this again`);
    await sleep(2_000);
    operation = accept(await google.get("serviceusage", `v1/${operation.name}`), "enabling APIs", "");
  }
  if (operation.error !== undefined) throw new UserError(`APIs can't be enabled: ${JSON.stringify(operation.error)}`);
  report(`APIs on: ${APIS.join(", ")}`);
}

async function ensureBucket(
  google: Google,
  name: string,
  { project, location, report }: BootstrapOptions,
  settings: Record<string, unknown>,
): Promise<void> {
  const closed = {
    iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: "enforced" },
  };
  const role = "roles/storage.admin";
  const found = await google.get("storage", `storage/v1/b/${name}`);
  if (found.status === 404) {
    const body = { name, location, storageClass: "STANDARD", ...closed, ...settings };
    accept(await google.post("storage", `storage/v1/b?project=${project}`, body), `bucket ${name}`, role);
    report(`bucket ${name} made in ${location}`);
    return;
  }
  accept(found, `bucket ${name}`, role);
  accept(await google.patch("storage", `storage/v1/b/${name}`, { ...closed, ...settings }), `bucket ${name}`, role);
  report(`bucket ${name} is there`);
}

async function ensureRetention(google: Google, name: string, options: BootstrapOptions): Promise<void> {
  const { retentionDays, lock, report } = options;
  const role = "roles/storage.admin";
  let bucket = accept(await google.get("storage", `storage/v1/b/${name}`), `bucket ${name}`, role);
  let policy = bucket.retentionPolicy as { retentionPeriod?: string; isLocked?: boolean } | undefined;
  const days = Number(policy?.retentionPeriod ?? 0) / DAY;
  // A locked period can be made longer, never shorter; a longer one is nothing to undo.
  if (days < retentionDays) {
    const retentionPolicy = { retentionPeriod: String(retentionDays * DAY) };
    bucket = accept(await google.patch("storage", `storage/v1/b/${name}`, { retentionPolicy }), `bucket ${name}`, role);
    policy = bucket.retentionPolicy as typeof policy;
  }
  if (policy?.isLocked !== true && lock) {
    const path = `storage/v1/b/${name}/lockRetentionPolicy?ifMetagenerationMatch=${bucket.metageneration}`;
    accept(await google.post("storage", path), `the lock of bucket ${name}`, role);
    policy = { ...policy, isLocked: true };
  }
  report(
    `bucket ${name} keeps everything ${Math.max(days, retentionDays)} days, ${policy?.isLocked === true ? "locked" : "NOT locked: run this again with --lock"}`,
  );
}

async function ensureKey(google: Google, names: BootstrapOptions): Promise<void> {
  const { project, location, keyRing, key, report } = names;
  const parent = `v1/projects/${project}/locations/${location}/keyRings`;
  const role = "roles/cloudkms.admin";
  const ring = await google.post("cloudkms", `${parent}?keyRingId=${keyRing}`);
  if (ring.status !== 409) accept(ring, `key ring ${keyRing}`, role);
  const made = await google.post("cloudkms", `${parent}/${keyRing}/cryptoKeys?cryptoKeyId=${key}`, {
    purpose: "ENCRYPT_DECRYPT",
    rotationPeriod: `${ROTATION_DAYS * DAY}s`,
    nextRotationTime: new Date(Date.now() + ROTATION_DAYS * DAY * 1000).toISOString(),
  });
  if (made.status !== 409) accept(made, `key ${key}`, role);
  report(`key ${keyName(names)} ${made.status === 409 ? "is there" : "made"}`);
}

function accept(reply: Reply, what: string, role: string): Record<string, unknown> {
  if (reply.status < 300) return reply.body;
  const hint = reply.status === 403 && role !== "" ? `; the account needs ${role}` : "";
  throw new UserError(`${what}: Google answered ${reply.status}: ${reply.message}${hint}`);
}
