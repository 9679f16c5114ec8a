import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { registryAddress } from "./reference.ts";

/** What the Docker engine takes to push to a registry. */
export interface Auth {
  username?: string;
  password?: string;
  serveraddress: string;
}

export interface RegistryInput {
  server?: string;
  username?: string;
  password?: string;
}

/**
 * The credentials for a push: the program's when it gives name and password, else those of the Docker client's configuration
 * (`auths` in config.json), else none.
 */
export function pushAuth(registry: RegistryInput, imageName: string): Auth {
  const serveraddress = registryAddress(registry.server, imageName);
  if (registry.username && registry.password) {
    return { username: registry.username, password: registry.password, serveraddress };
  }
  return { ...fromDockerConfig(serveraddress), serveraddress };
}

function fromDockerConfig(server: string): { username?: string; password?: string } {
  const file = join(process.env.DOCKER_CONFIG ?? join(homedir(), ".docker"), "config.json");
  let config: { auths?: Record<string, { auth?: string }>; credHelpers?: Record<string, string>; credsStore?: string };
  try {
    config = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new Error(`can't read the Docker client's configuration ${file}`, { cause: error });
  }
  if (config.credHelpers?.[server] ?? config.credsStore) {
    throw new Error(
      `${file} keeps the credentials for ${server} in a credential helper, which this stand-in does not cover: ` +
        "give registry.username and registry.password, or install Pulumi's own docker plugin",
    );
  }
  const auth = config.auths?.[server]?.auth;
  if (auth === undefined) return {};
  const [username, ...password] = Buffer.from(auth, "base64").toString().split(":");
  return { username, password: password.join(":") };
}
