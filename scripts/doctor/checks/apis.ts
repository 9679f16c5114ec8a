import { APIS } from "../../../components/platform/apis.ts";
import { type Check, note, ok, problem, skipped } from "../check.ts";

/** Without these the stack can't even begin: it switches the others on itself. */
const FIRST = ["serviceusage.googleapis.com", "cloudresourcemanager.googleapis.com"];

/** Which of the APIs are on. */
export const apis: Check = {
  name: "APIs",
  cloud: true,
  look: async ({ google, config: { project } }) => {
    const all = [...FIRST, ...APIS];
    const query = all.map((api) => `names=projects/${project}/services/${api}`).join("&");
    const reply = await google.get("serviceusage", `v1/projects/${project}/services:batchGet?${query}`);
    if (reply.reason === "SERVICE_DISABLED") return [problem("the Service Usage API is off", enable(project, FIRST))];
    if (reply.status === 403 || reply.status === 404) {
      return [
        problem(
          `project ${project} can't be looked at: ${reply.message}`,
          `check the name (\`gcloud projects list\`) and the account's access (at least roles/serviceusage.serviceUsageViewer)`,
        ),
      ];
    }
    if (reply.status !== 200) return [skipped(`Google answered ${reply.status}: ${reply.message}`)];
    const services = (reply.body.services ?? []) as { name?: string; state?: string }[];
    const on = new Set(services.filter(({ state }) => state === "ENABLED").map(({ name }) => name?.split("/").pop()));
    const off = all.filter((api) => !on.has(api));
    const first = off.filter((api) => FIRST.includes(api));
    if (first.length > 0) return [problem(`off: ${off.join(", ")}`, enable(project, off))];
    if (off.length > 0) return [note(`off: ${off.join(", ")}; the first deployment enables them`)];
    return [ok(`all ${all.length} are on`)];
  },
};

function enable(project: string, apis: string[]): string {
  return `gcloud services enable ${apis.join(" ")} --project=${project}`;
}
