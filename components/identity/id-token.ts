import type { GoogleAuth, IdTokenClient } from "google-auth-library";
import { isLoopback } from "../cloudrun/credentials.ts";
import { messageOf, UserError } from "../errors.ts";
import { googleAuth } from "./google.ts";

/** An ID token that somebody else made, for people without a service account: `$(gcloud auth print-identity-token)`. It lives an hour. */
const VARIABLE = "GOOGLE_IDENTITY_TOKEN";

const requests = new Map<string, Promise<string>>();
const clients = new WeakMap<object, Map<string, Promise<IdTokenClient>>>();

/**
 * The headers with which a service is asked that lets only some ask (IAM): an ID token for it. None for this machine and for plain HTTP, over which
 * a token would be there for anybody to read.
 * @throws UserError when there are no credentials that can have an ID token.
 */
export async function identityHeaders(url: string): Promise<Record<string, string>> {
  if (!url.startsWith("https:") || isLoopback(url)) return {};
  return { authorization: `Bearer ${await idToken(audienceOf(url))}` };
}

/**
 * The audience of the ID token for a URL: the service's URL, also where one of its tags is asked. Source: Cloud Run's documentation on service-to-service
 * authentication ("the aud value must remain as the URL of the service, even when making requests to a specific traffic tag").
 */
export function audienceOf(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host.replace(/^[a-z][a-z0-9-]*?---/, "")}`;
}

async function idToken(audience: string): Promise<string> {
  const given = process.env[VARIABLE];
  if (given !== undefined && given !== "") return given;
  try {
    return await sharedToken(audience);
  } catch (cause) {
    throw new UserError(
      `no ID token for ${audience}, which only lets callers in that IAM knows: ${messageOf(cause)}. Run as a service account (GOOGLE_APPLICATION_CREDENTIALS, workload identity, or \`gcloud auth application-default login --impersonate-service-account=ACCOUNT\`), or set ${VARIABLE}=$(gcloud auth print-identity-token)`,
      { cause },
    );
  }
}

/** Scenarios ask all at once: those that need a token at the same time get the same one. */
function sharedToken(audience: string): Promise<string> {
  const underWay = requests.get(audience);
  if (underWay !== undefined) return underWay;
  const request = clientFor(audience)
    .then((client) => client.getRequestHeaders())
    .then((headers) => (headers.get("authorization") ?? "").replace(/^Bearer /, ""))
    .finally(() => requests.delete(audience));
  requests.set(audience, request);
  return request;
}

/** One client for each audience: it keeps its token until shortly before it expires. */
async function clientFor(audience: string): Promise<IdTokenClient> {
  const auth = await googleAuth();
  const known = clients.get(auth) ?? new Map<string, Promise<IdTokenClient>>();
  clients.set(auth, known);
  const client = known.get(audience) ?? makeClient(auth, audience);
  known.set(audience, client);
  // A failure isn't kept: credentials may come later.
  client.catch(() => known.delete(audience));
  return client;
}

async function makeClient(auth: GoogleAuth, audience: string): Promise<IdTokenClient> {
  const client = await auth.getClient();
  const email = "getServiceAccountEmail" in client ? client.getServiceAccountEmail() : null;
  // Workload identity federation has no ID tokens of its own: the account it stands for is asked for one (it needs roles/iam.serviceAccountTokenCreator on itself).
  if ("fetchIdToken" in client || email === null) return auth.getIdTokenClient(audience);
  const { IdTokenClient, Impersonated } = await import("google-auth-library");
  const idTokenProvider = new Impersonated({ sourceClient: client, targetPrincipal: email, targetScopes: [] });
  return new IdTokenClient({ targetAudience: audience, idTokenProvider });
}
