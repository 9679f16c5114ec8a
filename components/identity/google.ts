import type { GoogleAuth } from "google-auth-library";

let auth: { key: string; value: Promise<GoogleAuth> } | undefined;

/**
 * Google's application default credentials, found once: the library keeps tokens until shortly before they expire. Loaded on first use, since a local stack never
 * needs it. The environment decides which credentials; when it changes they are found anew.
 */
export function googleAuth(environment: NodeJS.ProcessEnv = process.env): Promise<GoogleAuth> {
  const key = JSON.stringify([environment.GOOGLE_APPLICATION_CREDENTIALS, environment.GCE_METADATA_HOST]);
  if (auth?.key !== key) {
    const value = import("google-auth-library").then(
      ({ GoogleAuth }) => new GoogleAuth({ scopes: "https://www.googleapis.com/auth/cloud-platform" }),
    );
    auth = { key, value };
  }
  return auth.value;
}
