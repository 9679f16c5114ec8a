import { parseRepository } from "../../../components/platform/repository.ts";
import { type Check, ok, problem, type Surroundings, skipped } from "../check.ts";

/** What the account that deploys has to be allowed in the project, and a role that holds it. */
const NEEDED: Record<string, string[]> = {
  "roles/run.admin": [
    "run.services.create",
    "run.services.get",
    "run.services.update",
    "run.services.setIamPolicy",
    "run.revisions.get",
    "run.revisions.list",
    "run.revisions.delete",
  ],
  "roles/serviceusage.serviceUsageAdmin": ["serviceusage.services.enable", "serviceusage.services.list"],
  "roles/artifactregistry.admin": [
    "artifactregistry.repositories.create",
    "artifactregistry.repositories.uploadArtifacts",
  ],
  "roles/iam.serviceAccountAdmin": ["iam.serviceAccounts.create"],
  "roles/iam.serviceAccountUser": ["iam.serviceAccounts.actAs"],
  "roles/secretmanager.admin": ["secretmanager.secrets.create"],
  "roles/logging.configWriter": ["logging.logMetrics.create"],
  "roles/monitoring.editor": [
    "monitoring.alertPolicies.create",
    "monitoring.dashboards.create",
    "monitoring.notificationChannels.create",
  ],
};

/** Whether the account may do what a deployment does. */
export const permissions: Check = {
  name: "permissions",
  cloud: true,
  look: async ({ google, config }) => {
    const { project } = config;
    const wanted = Object.values(needed(config)).flat();
    const path = `v1/projects/${project}:testIamPermissions`;
    const reply = await google.post("cloudresourcemanager", path, { permissions: wanted });
    if (reply.status !== 200) return [skipped(`can't be asked for: ${reply.message}`)];
    const granted = new Set((reply.body.permissions ?? []) as string[]);
    const missing = Object.entries(needed(config)).filter(([, all]) => all.some((one) => !granted.has(one)));
    if (missing.length === 0) return [ok(`all ${wanted.length} are granted`)];
    return missing.map(([role, all]) =>
      problem(
        `missing ${all.filter((one) => !granted.has(one)).join(", ")}`,
        `gcloud projects add-iam-policy-binding ${project} --member=MEMBER --role=${role}`,
      ),
    );
  },
};

/** What the configuration brings itself isn't created, so nobody has to be allowed to. */
function needed(config: Surroundings["config"]): Record<string, string[]> {
  const { "roles/artifactregistry.admin": registry, "roles/iam.serviceAccountAdmin": accounts, ...rest } = NEEDED;
  return {
    ...rest,
    ...(parseRepository(config.imageRepository) !== undefined && {
      "roles/artifactregistry.admin": registry as string[],
    }),
    ...(config.serviceAccount === undefined && { "roles/iam.serviceAccountAdmin": accounts as string[] }),
  };
}
