import { rm } from "node:fs/promises";
import { stdin, stdout } from "node:process";
import { createInterface } from "node:readline/promises";
import Docker from "dockerode";
import type { DaemonOptions } from "../options.ts";
import { Containers } from "../runtime/containers.ts";
import { Store } from "../store.ts";
import { stop } from "./stop.ts";

/** Ends the daemon and removes its containers and its data. Asks first, unless told not to. Throws when nobody can be asked. */
export async function reset(options: DaemonOptions, isConfirmed: boolean): Promise<void> {
  if (!isConfirmed && !(await confirm(`Remove all services, revisions and containers of ${options.dataDir}?`))) {
    console.log("Nothing was changed.");
    return;
  }
  await stop(options);
  const instance = await Store.readInstance(options.dataDir);
  if (instance !== undefined) {
    const containers = new Containers(new Docker(), instance);
    await containers.check();
    for (const id of (await containers.list()).values()) await containers.remove(id);
  }
  await rm(options.dataDir, { recursive: true, force: true });
  console.log("The local Cloud Run is reset.");
}

async function confirm(question: string): Promise<boolean> {
  if (!stdin.isTTY) throw new Error(`${question} Nobody is there to answer: say --yes.`);
  const terminal = createInterface({ input: stdin, output: stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
