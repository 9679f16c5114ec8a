import { request } from "undici";
import { accessToken } from "../../components/cloudrun/credentials.ts";
import { messageOf, UserError } from "../../components/errors.ts";
import { httpAgent } from "../../components/http.ts";

/** A reply of one of Google's APIs; `body` is {} where it isn't JSON. */
export interface Reply {
  status: number;
  body: Record<string, unknown>;
  /** Google's own code for why it refused, such as SERVICE_DISABLED. */
  reason?: string;
  /** Google's own words. */
  message: string;
  /** When Google says it is (RFC 9110, Date). */
  date?: Date;
}

/** Google's APIs that scripts ask, by the first part of their host. */
export type Api =
  | "storage"
  | "cloudkms"
  | "serviceusage"
  | "cloudresourcemanager"
  | "artifactregistry"
  | "run"
  | "oauth2";

/** Where an API is; a test has all of them on this machine. Cloud Storage's own variable for emulators is honoured. */
export type Locate = (api: Api) => string;

export const locateGoogle: Locate = (api) => {
  const emulator = process.env.STORAGE_EMULATOR_HOST ?? "";
  if (api !== "storage" || emulator === "") return `https://${api}.googleapis.com`;
  return /^https?:/.test(emulator) ? emulator : `http://${emulator}`;
};

/** A client of Google's REST APIs. A refusal is a reply; only what isn't answered at all is an error (a UserError, as are missing credentials). */
export class Google {
  readonly #locate: Locate;

  constructor(locate: Locate = locateGoogle) {
    this.#locate = locate;
  }

  get(api: Api, path: string): Promise<Reply> {
    return this.#send("GET", api, path);
  }

  post(api: Api, path: string, body: unknown = {}): Promise<Reply> {
    return this.#send("POST", api, path, body);
  }

  patch(api: Api, path: string, body: unknown): Promise<Reply> {
    return this.#send("PATCH", api, path, body);
  }

  async #send(method: "GET" | "POST" | "PATCH", api: Api, path: string, body?: unknown): Promise<Reply> {
    const base = this.#locate(api);
    const url = `${base}/${path}`;
    const headers = { authorization: `Bearer ${await accessToken(base)}`, "content-type": "application/json" };
    try {
      const reply = await request(url, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        dispatcher: httpAgent(),
        headersTimeout: 20_000,
        bodyTimeout: 20_000,
      });
      return readReply(reply.statusCode, await reply.body.text(), reply.headers.date);
    } catch (cause) {
      // The error of a host with several addresses has a code and no message.
      const why = messageOf(cause) || (cause as NodeJS.ErrnoException).code;
      throw new UserError(`no reply to ${method} ${url}: ${why}; does this machine reach it?`, { cause });
    }
  }
}

function readReply(status: number, text: string, date: string | string[] | undefined): Reply {
  let body: Record<string, unknown> = {};
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // A proxy's page, say: the text is shown as it is.
  }
  const error = body.error as { message?: string; details?: { reason?: string }[]; errors?: { reason?: string }[] };
  const reasons = [...(error?.details ?? []), ...(error?.errors ?? [])].map(({ reason }) => reason);
  return {
    status,
    body,
    reason: reasons.find((reason) => reason !== undefined),
    message: error?.message ?? text.slice(0, 200),
    date: typeof date === "string" ? new Date(date) : undefined,
  };
}
