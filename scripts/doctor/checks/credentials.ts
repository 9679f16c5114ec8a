import { accessToken } from "../../../components/cloudrun/credentials.ts";
import { messageOf } from "../../../components/errors.ts";
import { type Check, note, ok, problem } from "../check.ts";

const LOGIN =
  "run `gcloud auth application-default login`, or run as a service account (GOOGLE_APPLICATION_CREDENTIALS)";

/** Whether there are Google credentials, and whose. The token goes to Google's own tokeninfo and nowhere else. */
export const credentials: Check = {
  name: "credentials",
  cloud: true,
  look: async ({ google, environment }) => {
    let token: string;
    try {
      token = await accessToken("https://oauth2.googleapis.com");
    } catch (error) {
      return [problem(messageOf(error), LOGIN)];
    }
    const reply = await google.get("oauth2", `tokeninfo?access_token=${encodeURIComponent(token)}`);
    if (reply.status !== 200) return [problem(`Google refuses the access token: ${reply.message}`, LOGIN)];
    const who = String(reply.body.email ?? reply.body.azp ?? "an account that doesn't say its name");
    if (!String(reply.body.scope ?? "").includes("cloud-platform")) {
      return [problem(`${who}, but without the scope cloud-platform`, LOGIN)];
    }
    const findings = [ok(who)];
    if ((environment.GOOGLE_OAUTH_ACCESS_TOKEN ?? "") !== "") {
      findings.push(note("taken from GOOGLE_OAUTH_ACCESS_TOKEN, which isn't renewed when it expires"));
    }
    return findings;
  },
};
