import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { messageOf, UserError } from "../errors.ts";

const run = promisify(execFile);

/** Label that holds the policy digest; set by the Dockerfile. */
const DIGEST_LABEL = "dev.flowpilot.policy-digest";

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
  const found = (JSON.parse(labels) as Record<string, string> | null)?.[DIGEST_LABEL] ?? "none";
  if (found !== policyDigest) {
    throw new UserError(
      `image ${imageName} exists with policy digest ${found}, but the commit's is ${policyDigest}; a tag is never rebuilt. If nothing uses that image remove it (\`docker image rm ${imageName}\`)`,
    );
  }
  return true;
}

async function inRegistry(imageName: string): Promise<boolean> {
  return (await docker("manifest", "inspect", imageName)) !== undefined;
}

/** Output of a docker command, undefined where it says that there is no such image. */
async function docker(...args: string[]): Promise<string | undefined> {
  try {
    return (await run("docker", args, { timeout: 60_000 })).stdout;
  } catch (error) {
    const said = (error as { stderr?: string }).stderr ?? "";
    if (/no such (image|manifest)|not found|manifest unknown/i.test(said)) return undefined;
    throw new UserError(
      `docker ${args.join(" ")} failed: ${said.trim() || messageOf(error)}. Is the Docker engine running? \`npm run setup\` starts it on Debian`,
      { cause: error },
    );
  }
}
