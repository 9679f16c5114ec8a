import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The engine that built the image has it; one that is told to fetch it could take long. */
const COMMAND = ["run", "--rm", "--pull", "never", "--network", "none", "--read-only", "--cap-drop", "ALL"];

/** The version of OPA in an image, by asking that OPA; undefined where this machine's engine can't run it. */
export async function opaVersion(image: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { stdout } = await run("docker", [...COMMAND, image, "version"], { timeout: 20_000, signal });
    return /^Version: (\d+\.\d+\.\d+\S*)$/m.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}
