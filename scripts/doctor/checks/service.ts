import { request } from "undici";
import { CloudRun } from "../../../components/cloudrun/client.ts";
import { describeSplit, splitOf } from "../../../components/cloudrun/traffic.ts";
import { messageOf } from "../../../components/errors.ts";
import { httpAgent } from "../../../components/http.ts";
import { audienceOf, identityHeaders } from "../../../components/identity/id-token.ts";
import { type Check, type Finding, note, ok, problem, type Surroundings } from "../check.ts";

/** The service in each region: whether it is there, and whether this machine may ask it and reaches it. */
export const service: Check = {
  name: "service",
  cloud: false,
  look: async (surroundings) =>
    (await Promise.all(surroundings.config.regions.map((region) => look(surroundings, region)))).flat(),
};

async function look({ config }: Surroundings, region: string): Promise<Finding[]> {
  const name = `projects/${config.project}/locations/${region}/services/${config.serviceName}`;
  const client = new CloudRun({ endpoint: config.endpoint, retries: 1 });
  const found = await client.getService(name).catch((error: unknown) => messageOf(error));
  if (typeof found === "string") {
    const local = "start the local Cloud Run: `npm run local -- start`";
    return [
      problem(found, config.endpoint === undefined ? "grant roles/run.admin to the account that deploys" : local),
    ];
  }
  if (found === undefined) return [note(`${config.serviceName} isn't in ${region} yet; the first deployment makes it`)];
  return [
    ok(`${config.serviceName} in ${region}: ${describeSplit(splitOf(found))}`),
    await ask(found.uri, config.ingress),
  ];
}

async function ask(uri: string, ingress: string): Promise<Finding> {
  let headers: Record<string, string>;
  try {
    headers = await identityHeaders(uri);
  } catch (error) {
    return problem(messageOf(error), "see docs/production.md, who deploys");
  }
  const url = `${uri}/health`;
  const reply = await request(url, { headers, dispatcher: httpAgent(), headersTimeout: 10_000 }).catch(
    (cause) => cause as Error,
  );
  if (reply instanceof Error) return problem(`${url} can't be reached: ${messageOf(reply)}`, reach(ingress));
  await reply.body.dump();
  switch (reply.statusCode) {
    case 200:
      return ok(`${url} answers`);
    case 401:
      return problem(
        `${url} refuses the ID token (${describeToken(headers)})`,
        `it has to be for ${audienceOf(uri)}, by Google`,
      );
    case 403:
      return problem(`${url}: ${describeToken(headers)} may not ask`, "add the account to `invokers` and deploy");
    case 404:
      return problem(`${url} isn't served to this machine`, reach(ingress));
    default:
      return problem(
        `${url} answers ${reply.statusCode}`,
        "look at the service's log: `gcloud run services logs read`",
      );
  }
}

function reach(ingress: string): string {
  return ingress === "all"
    ? "check the network between this machine and Google"
    : `ingress is "${ingress}": run deployments inside the project's network (docs/production.md), or set ingress to "all"; callers still need an ID token`;
}

/** Whose token it is and for which audience, never the token. */
function describeToken({ authorization = "" }: Record<string, string>): string {
  try {
    const claims = JSON.parse(Buffer.from(authorization.split(".")[1] ?? "", "base64url").toString());
    return `of ${claims.email ?? claims.sub ?? "an account without a name"}, for ${claims.aud}`;
  } catch {
    return authorization === "" ? "none was sent" : "not a JWT";
  }
}
