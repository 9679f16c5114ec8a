import { readFile } from "node:fs/promises";
import Docker from "dockerode";
import { shortName } from "../names.ts";
import type { DaemonOptions } from "../options.ts";
import { Containers } from "../runtime/containers.ts";
import { Store } from "../store.ts";
import { logFile } from "./daemon.ts";

/** Prints the end of the daemon's log, or of one revision's container. Throws when there is none. */
export async function printLogs(
  { dataDir }: DaemonOptions,
  revision: string | undefined,
  lines: number,
): Promise<void> {
  if (revision === undefined) {
    const text = await readFile(logFile(dataDir), "utf8").catch(() => "");
    console.log(text.trimEnd().split("\n").slice(-lines).join("\n"));
    return;
  }
  const instance = await Store.readInstance(dataDir);
  const containers = new Containers(new Docker(), instance ?? "");
  const found = instance === undefined ? new Map<string, string>() : await containers.list();
  const id = [...found].find(([name]) => shortName(name) === revision)?.[1];
  if (id === undefined) {
    const known = [...found.keys()].map(shortName).join(", ");
    throw new Error(`Revision "${revision}" has no container. Those that have one: ${known === "" ? "none" : known}.`);
  }
  console.log(await containers.lastLogLines(id, lines));
}
