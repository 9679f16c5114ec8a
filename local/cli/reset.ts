import { stdin, stdout } from "node:process";
import { createInterface } from "node:readline/promises";
import Docker from "dockerode";
import type { DaemonOptions } from "../options.ts";
import { Containers } from "../runtime/containers.ts";
import { Store } from "../store.ts";
import { isDataDirectory, removeData } from "./data-directory.ts";
import { stop } from "./stop.ts";

/**
 * Ends the daemon and removes its containers and its data, and nothing else that lies there. Asks first, unless told not to. Throws when nobody can be asked,
 * or the directory isn't one of a local Cloud Run.
 */
export async function reset(options: DaemonOptions, isConfirmed: boolean): Promise<void> {
  const { dataDir } = options;
  if (!(await isDataDirectory(dataDir))) {
    console.log(`There is no local Cloud Run in ${dataDir}: nothing to do.`);
    return;
  }
  if (!isConfirmed && !(await confirm(`Remove all services, revisions and containers of ${dataDir}?`))) {
    console.log("Nothing was changed.");
    return;
  }
  await stop(options);
  const instance = await Store.readInstance(dataDir);
  if (instance !== undefined) {
    const containers = new Containers(new Docker(), instance);
    await containers.check();
    for (const id of (await containers.list()).values()) await containers.remove(id);
  }
  const left = await removeData(dataDir);
  const note = left.length === 0 ? "" : ` ${dataDir} stays: ${left.join(", ")} are not the local Cloud Run's.`;
  console.log(`The local Cloud Run is reset.${note}`);
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
