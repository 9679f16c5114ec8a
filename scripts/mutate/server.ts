import { request } from "undici";
import { UserError } from "../../components/errors.ts";
import { httpAgent } from "../../components/http.ts";
import { startOpa } from "../../components/opa/process.ts";
import type { Policy, PolicyFile } from "./policy.ts";

/** An OPA that serves a policy, one file of which can be swapped for a mutant. */
export type MutantServer = AsyncDisposable & {
  url: string;
  /** Serves `source` in place of a file. False where it doesn't compile; then the policy is unchanged. */
  swap(file: PolicyFile, source: string): Promise<boolean>;
  /** Serves the policy as it is. */
  restore(): Promise<void>;
};

/** Starts OPA with the directory's data, and puts the policy's files in. Throws UserError where they don't compile. */
export async function startMutantServer(opa: string, policyDir: string, policy: Policy): Promise<MutantServer> {
  const server = await startOpa(policyDir, { opa, args: ["--ignore=*.rego"] });
  let swapped: PolicyFile | undefined;
  const restore = async () => {
    if (swapped !== undefined) {
      await put(server.url, idOf(policy, swapped), swapped.text);
      swapped = undefined;
    }
  };
  const swap = async (file: PolicyFile, source: string) => {
    if (swapped !== file) {
      await restore();
    }
    const error = await put(server.url, idOf(policy, file), source);
    swapped = error === undefined ? file : swapped;
    return error === undefined;
  };
  try {
    await putAll(server.url, policy);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { url: server.url, swap, restore, [Symbol.asyncDispose]: () => server.stop() };
}

/** Files may need each other: those that don't compile yet are tried again as long as others get in. */
async function putAll(url: string, policy: Policy): Promise<void> {
  let waiting = policy.files;
  while (waiting.length > 0) {
    const refused: { file: PolicyFile; error: string }[] = [];
    for (const file of waiting) {
      const error = await put(url, idOf(policy, file), file.text);
      if (error !== undefined) {
        refused.push({ file, error });
      }
    }
    if (refused.length === waiting.length) {
      throw new UserError(refused.map(({ file, error }) => `${file.path} doesn't compile: ${error}`).join("\n"));
    }
    waiting = refused.map(({ file }) => file);
  }
}

function idOf(policy: Policy, file: PolicyFile): string {
  return `file${policy.files.indexOf(file)}`;
}

/** What OPA has against a policy, or undefined when it took it. */
async function put(url: string, id: string, source: string): Promise<string | undefined> {
  const reply = await request(`${url}/v1/policies/${id}`, {
    dispatcher: httpAgent(),
    method: "PUT",
    headers: { "content-type": "text/plain" },
    body: source,
  });
  const body = await reply.body.text();
  if (reply.statusCode === 200) {
    return undefined;
  }
  if (reply.statusCode !== 400) {
    throw new Error(`PUT ${url}/v1/policies/${id} answered HTTP ${reply.statusCode}: ${body}`);
  }
  const { message, errors } = JSON.parse(body) as {
    message: string;
    errors?: { message: string; location?: { row: number } }[];
  };
  return errors?.map((error) => `line ${error.location?.row ?? "?"}: ${error.message}`).join("; ") ?? message;
}
