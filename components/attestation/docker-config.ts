import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";

/** What Docker's configuration knows of a registry: user and password, the name of a program to ask, or nothing. */
export type Login = { basic: string } | { helper: string } | undefined;

interface DockerConfig {
  auths?: Record<string, { auth?: string } | undefined>;
  credHelpers?: Record<string, string>;
  credsStore?: string;
}

/** Docker's configuration as the user has it; empty where there is none. @throws SyntaxError when it isn't JSON */
export async function readDockerConfig(directory: string): Promise<DockerConfig> {
  return JSON.parse(await readFile(path.join(directory, "config.json"), "utf8").catch(() => "{}")) as DockerConfig;
}

/** The directory that Docker keeps its configuration in. */
export function dockerDirectory(environment: NodeJS.ProcessEnv): string {
  return environment.DOCKER_CONFIG || path.join(environment.HOME ?? homedir(), ".docker");
}

/** The login that `docker login` has left for a registry. No program is asked for one. A configuration that can't be read knows nothing. */
export async function dockerLogin(registry: string, environment: NodeJS.ProcessEnv = process.env): Promise<Login> {
  try {
    return loginOf(await readDockerConfig(dockerDirectory(environment)), registry);
  } catch {
    return undefined;
  }
}

function loginOf(config: DockerConfig, registry: string): Login {
  const keys =
    registry === "docker.io"
      ? ["https://index.docker.io/v1/", "docker.io"]
      : [registry, `https://${registry}`, `https://${registry}/v1/`, `https://${registry}/v2/`];
  const auth = keys.map((key) => config.auths?.[key]?.auth).find((found) => found !== undefined && found !== "");
  if (auth !== undefined) return { basic: auth };
  const helper = config.credHelpers?.[registry] ?? config.credsStore;
  return helper === undefined || helper === "" ? undefined : { helper };
}
