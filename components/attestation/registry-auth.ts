import { request } from "undici";
import { accessToken, isLoopback } from "../cloudrun/credentials.ts";
import { httpAgent } from "../http.ts";
import { dockerLogin } from "./docker-config.ts";
import { RegistryError } from "./registry-error.ts";

/** How a registry wants to be asked: RFC 9110's WWW-Authenticate. */
export interface Challenge {
  scheme: "bearer" | "basic";
  parameters: Record<string, string>;
}

/** The challenge of a header; undefined for a scheme that no registry has. */
export function parseChallenge(header: string): Challenge | undefined {
  const scheme = /^\s*(bearer|basic)\b/i.exec(header)?.[1]?.toLowerCase();
  if (scheme !== "bearer" && scheme !== "basic") return undefined;
  const pairs = [...header.matchAll(/([a-z_]+)="([^"]*)"/gi)].map(([, key = "", value = ""]) => [
    key.toLowerCase(),
    value,
  ]);
  return { scheme, parameters: Object.fromEntries(pairs) };
}

/**
 * The authorization header that answers a challenge. For Google's registries with an access token of the application default credentials, for others with what
 * `docker login` has left; without either as anonymous. Secrets only go to https or to this machine, and Google's token only to Google's registries.
 */
export async function authorizationFor(
  challenge: Challenge,
  { registry, path }: { registry: string; path: string },
  signal: AbortSignal,
): Promise<string> {
  const basic = await basicLogin(registry);
  if (challenge.scheme === "basic") return `Basic ${needed(basic, registry)}`;
  const { realm = "", service } = challenge.parameters;
  const url = tokenUrl(realm, registry);
  url.searchParams.set("scope", `repository:${path}:pull,push`);
  if (service !== undefined) url.searchParams.set("service", service);
  const login = "basic" in basic ? { authorization: `Basic ${basic.basic}` } : {};
  const { statusCode, body } = await request(url, { headers: login, dispatcher: httpAgent(), signal });
  const text = await body.text();
  if (statusCode !== 200) {
    const next = "basic" in basic ? "" : `; ${basic.why}`;
    throw new RegistryError(`${url.host} gave no token for ${registry}: ${statusCode}${next}`, statusCode);
  }
  const { token, access_token } = JSON.parse(text) as { token?: string; access_token?: string };
  return `Bearer ${token ?? access_token}`;
}

type Basic = { basic: string } | { why: string };

async function basicLogin(registry: string): Promise<Basic> {
  if (isGoogle(registry)) {
    const token = await accessToken(`https://${registry}`);
    return { basic: Buffer.from(`oauth2accesstoken:${token}`).toString("base64") };
  }
  const login = await dockerLogin(registry);
  if (login === undefined) return { why: `no login for it in Docker's configuration (\`docker login ${registry}\`)` };
  if ("basic" in login) return login;
  return { why: `Docker keeps its login with the helper ${login.helper}, which isn't asked here` };
}

function needed(login: Basic, registry: string): string {
  if ("basic" in login) return login.basic;
  throw new RegistryError(`${registry} wants a login: ${login.why}`, 401);
}

function tokenUrl(realm: string, registry: string): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  const safe = url !== undefined && (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(realm)));
  if (!safe || (isGoogle(registry) && !isGoogle(url.hostname))) {
    throw new RegistryError(`${registry} sends for a token to a place that no secret is sent to`, 401);
  }
  return url;
}

function isGoogle(registry: string): boolean {
  return /(^|\.)(pkg\.dev|gcr\.io)$/.test(registry);
}
