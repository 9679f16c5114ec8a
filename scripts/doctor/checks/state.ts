import { backEndUrl, withProjectHome } from "../../../components/audit/backend.ts";
import { readStackFile } from "../../../components/stack-file.ts";
import { historyBucket } from "../../backend/names.ts";
import { type Check, type Finding, note, ok, problem, type Surroundings, skipped } from "../check.ts";

/** Where Pulumi keeps the stack's state, whether it can be brought back, and whether the history is safe. */
export const state: Check = {
  name: "state",
  cloud: false,
  look: async (surroundings) => {
    const { directory, environment, config } = surroundings;
    const url = await backEndUrl(directory, withProjectHome(directory, environment));
    const bootstrap = `npm run bootstrap-backend -- --project ${config.project} --location ${config.region}, then \`pulumi login\` as it says`;
    if (url === "" && !config.platform) return [ok(".local/state, as bin/pulumi does where nobody is logged in")];
    if (url === "") return [problem("nobody is logged in to Pulumi", `pulumi login; or ${bootstrap}`)];
    if (/^https?:/.test(url)) return [ok(`Pulumi Cloud (${url}), which keeps the history and lets nobody rewrite it`)];
    if (url.startsWith("file:")) {
      const found = `${url}: on this machine alone`;
      return [config.platform ? problem(found, bootstrap) : ok(found)];
    }
    if (!url.startsWith("gs:")) return [note(`${url}: look after its versions and its history yourself`)];
    const bucket = new URL(url).hostname;
    return [
      ...(await stateBucket(surroundings, bucket, bootstrap)),
      ...(await history(surroundings, historyBucket(bucket), bootstrap)),
      ...(await secrets(surroundings, bootstrap)),
    ];
  },
};

async function stateBucket({ google }: Surroundings, bucket: string, bootstrap: string): Promise<Finding[]> {
  const reply = await google.get("storage", `storage/v1/b/${bucket}`);
  if (reply.status === 404) return [problem(`there is no bucket ${bucket}`, bootstrap)];
  if (reply.status !== 200) {
    return [problem(`bucket ${bucket} can't be read: ${reply.message}`, `grant roles/storage.admin on gs://${bucket}`)];
  }
  const { versioning, iamConfiguration } = reply.body as {
    versioning?: { enabled?: boolean };
    iamConfiguration?: { publicAccessPrevention?: string; uniformBucketLevelAccess?: { enabled?: boolean } };
  };
  const findings: Finding[] = [];
  if (versioning?.enabled !== true) {
    findings.push(
      problem(
        `bucket ${bucket} keeps no old versions: a lost state is lost`,
        `gcloud storage buckets update gs://${bucket} --versioning`,
      ),
    );
  }
  if (iamConfiguration?.publicAccessPrevention !== "enforced") {
    findings.push(
      problem(
        `bucket ${bucket} could be made public`,
        `gcloud storage buckets update gs://${bucket} --public-access-prevention`,
      ),
    );
  }
  return findings.length > 0 ? findings : [ok(`bucket ${bucket}, versioned, never public`)];
}

async function history({ google }: Surroundings, bucket: string, bootstrap: string): Promise<Finding[]> {
  const reply = await google.get("storage", `storage/v1/b/${bucket}`);
  if (reply.status === 404) return [problem(`there is no bucket ${bucket} for the history`, bootstrap)];
  if (reply.status !== 200) return [skipped(`bucket ${bucket} can't be read: ${reply.message}`)];
  const retention = reply.body.retentionPolicy as { retentionPeriod?: string; isLocked?: boolean } | undefined;
  const days = Math.floor(Number(retention?.retentionPeriod ?? 0) / 86_400);
  if (days === 0) return [problem(`bucket ${bucket} has no retention: its history can be deleted`, bootstrap)];
  if (retention?.isLocked === true) return [ok(`bucket ${bucket} keeps the history ${days} days, locked`)];
  return [
    problem(
      `bucket ${bucket} keeps the history ${days} days, but that can be changed`,
      `gcloud storage buckets update gs://${bucket} --lock-retention-period (can't be undone)`,
    ),
  ];
}

async function secrets({ google, directory, stack }: Surroundings, bootstrap: string): Promise<Finding[]> {
  const { secretsProvider: provider = "" } = await readStackFile(directory, stack);
  if (provider.startsWith("gcpkms://")) return [await keyUse(google, provider.slice("gcpkms://".length))];
  return [
    note(
      "secrets are encrypted with a passphrase, which has to be kept somewhere",
      `with a KMS key (${bootstrap}): pulumi stack change-secrets-provider "gcpkms://…"`,
    ),
  ];
}

/** Whether the account may use the key: administering it isn't enough. @param key projects/P/locations/L/keyRings/R/cryptoKeys/K */
async function keyUse(google: Surroundings["google"], key: string): Promise<Finding> {
  const wanted = ["cloudkms.cryptoKeyVersions.useToEncrypt", "cloudkms.cryptoKeyVersions.useToDecrypt"];
  const reply = await google.post("cloudkms", `v1/${key}:testIamPermissions`, { permissions: wanted });
  if (reply.status !== 200)
    return skipped(`secrets are encrypted with ${key}; whether it may be used can't be asked for: ${reply.message}`);
  const granted = (reply.body.permissions ?? []) as string[];
  const missing = wanted.filter((one) => !granted.includes(one));
  if (missing.length === 0) return ok(`secrets are encrypted with ${key}`);
  return problem(
    `the key ${key} may not be used: missing ${missing.join(", ")}`,
    `gcloud kms keys add-iam-policy-binding ${key} --member=MEMBER --role=roles/cloudkms.cryptoKeyEncrypterDecrypter`,
  );
}
