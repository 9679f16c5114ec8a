import { messageOf, UserError } from "../errors.ts";

/**
 * The bearer token for the Admin API, read when a call is made and kept nowhere: GOOGLE_OAUTH_ACCESS_TOKEN if set, for a
 * loopback endpoint a constant (the local Cloud Run takes any), otherwise Google's application default credentials.
 */
export async function accessToken(endpoint: string): Promise<string> {
  const fromEnvironment = process.env.GOOGLE_OAUTH_ACCESS_TOKEN;
  if (fromEnvironment !== undefined && fromEnvironment !== "") return fromEnvironment;
  if (isLoopback(endpoint)) return LOCAL_TOKEN;
  const hint = "run `gcloud auth application-default login`, or run as a service account";
  const { googleAuth } = await import("../identity/google.ts");
  const token = await (await googleAuth()).getAccessToken().catch((cause) => {
    throw new UserError(`no Google credentials for ${endpoint}: ${messageOf(cause)}; ${hint}`, { cause });
  });
  if (!token) throw new UserError(`no Google credentials for ${endpoint}; ${hint}`);
  return token;
}

/** Not a secret: the local Cloud Run accepts any token, and plugins refuse to go without one. */
export const LOCAL_TOKEN = "local-cloud-run";

/** Whether a URL names this machine's loopback interface. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  );
}
