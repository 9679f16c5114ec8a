import { GOOGLE_ENDPOINT } from "../cloudrun/client.ts";
import { accessToken } from "../cloudrun/credentials.ts";
import { shortName } from "../cloudrun/names.ts";
import { guardedFetch } from "./post.ts";

/**
 * The address of Slack's webhook in Google's Secret Manager, where the platform has made a place for it (components/platform/slack-secret.ts); undefined
 * where there is none, or it can't be read. Source: google.cloud.secretmanager.v1 AccessSecretVersion.
 */
export async function readSlackSecret(service: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const project = service.split("/").slice(0, 2).join("/");
    const name = `${project}/secrets/${shortName(service)}-slack-webhook/versions/latest`;
    const token = await accessToken(GOOGLE_ENDPOINT);
    const reply = await guardedFetch(signal, {})(`https://secretmanager.googleapis.com/v1/${name}:access`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (!reply.ok) return undefined;
    const { payload } = (await reply.json()) as { payload?: { data?: string } };
    const address = Buffer.from(payload?.data ?? "", "base64")
      .toString("utf8")
      .trim();
    return address === "" ? undefined : address;
  } catch {
    return undefined;
  }
}
