import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { isLoopback } from "../cloudrun/credentials.ts";
import { messageOf, UserError } from "../errors.ts";

const run = promisify(execFile);

/** Label that holds the policy digest; set by the Dockerfile. */
const DIGEST_LABEL = "dev.flowpilot.policy-digest";

/** Policy digest of an image that holds none. */
export const NO_POLICIES = "none";

/**
 * Whether an image of that name is there already, on the Docker engine or, for a pushed one, in the registry.
 * @throws UserError when it holds other policies than the commit: a tag is never moved.
 */
export async function imageExists(imageName: string, policyDigest: string, pushed: boolean): Promise<boolean> {
  return pushed ? inRegistry(imageName) : onEngine(imageName, policyDigest);
}

async function onEngine(imageName: string, policyDigest: string): Promise<boolean> {
  const labels = await docker("image", "inspect", "--format", "{{json .Config.Labels}}", imageName);
  if (labels === undefined) return false;
  const found = (JSON.parse(labels) as Record<string, string> | null)?.[DIGEST_LABEL] ?? NO_POLICIES;
  if (found !== policyDigest) {
    throw new UserError(
      `image ${imageName} exists with policy digest ${found}, but the commit's is ${policyDigest}; a tag is never rebuilt. If nothing uses that image remove it (\`docker image rm ${imageName}\`)`,
    );
  }
  return true;
}

async function inRegistry(imageName: string): Promise<boolean> {
  // A registry on this machine speaks plain HTTP; the engine itself allows that for loopback and nothing else.
  const insecure = isLoopback(`http://${imageName.split("/")[0]}`) ? ["--insecure"] : [];
  return (await docker("manifest", "inspect", ...insecure, imageName)) !== undefined;
}

/** What Docker and registries say where there is no such image. Not merely "not found": a credential helper can't be found either. */
const MISSING = /no such (image|manifest)|manifest unknown|name unknown|not found: manifest/i;

/** Output of a docker command, undefined where it says that there is no such image. */
async function docker(...args: string[]): Promise<string | undefined> {
  try {
    return (await run("docker", args, { timeout: 60_000 })).stdout;
  } catch (error) {
    const said = (error as { stderr?: string }).stderr ?? "";
    if (MISSING.test(said)) return undefined;
    const next = /denied|unauthori[sz]ed|credential/i.test(said)
      ? "Docker needs credentials for that registry: `gcloud auth configure-docker HOST`, or `docker login HOST`"
      : "Is the Docker engine running (`npm run setup` starts it on Debian), and the registry within reach?";
    throw new UserError(`docker ${args.join(" ")} failed: ${said.trim() || messageOf(error)}. ${next}`, {
      cause: error,
    });
  }
}
