import { resolve } from "node:path";
import type { Command } from "commander";

export const DEFAULT_ADMIN_PORT = 8470;
export const DEFAULT_FRONT_PORT = 8480;
export const DEFAULT_DATA_DIR = ".local/cloudrun";

export interface DaemonOptions {
  dataDir: string;
  adminPort: number;
  frontPort: number;
}

/** Adds the options that say which local Cloud Run is meant. */
export function daemonOptions(command: Command): Command {
  return command
    .option("--data <directory>", `where it keeps its state (default ${DEFAULT_DATA_DIR})`)
    .option("--admin-port <port>", `port of the Admin API (default FLOWPILOT_ADMIN_PORT, or ${DEFAULT_ADMIN_PORT})`)
    .option("--port <port>", `port of the services' URLs (default FLOWPILOT_PORT, or ${DEFAULT_FRONT_PORT})`);
}

/** What was asked for; flags win over the environment, which wins over the defaults. Throws on a port that isn't one, and on a directory without a name. */
export function readDaemonOptions(command: Command, environment: NodeJS.ProcessEnv = process.env): DaemonOptions {
  const { data, adminPort, port } = command.opts<{ data?: string; adminPort?: string; port?: string }>();
  if (data === "") throw new Error(`--data is empty; name a directory, or leave it out for ${DEFAULT_DATA_DIR}.`);
  return {
    dataDir: resolve(data ?? DEFAULT_DATA_DIR),
    adminPort: readPort("--admin-port", adminPort ?? environment.FLOWPILOT_ADMIN_PORT, DEFAULT_ADMIN_PORT),
    frontPort: readPort("--port", port ?? environment.FLOWPILOT_PORT, DEFAULT_FRONT_PORT),
  };
}

function readPort(flag: string, text: string | undefined, fallback: number): number {
  if (text === undefined || text === "") return fallback;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`${flag} is "${text}", but a port is a whole number from 0 to 65535.`);
}
