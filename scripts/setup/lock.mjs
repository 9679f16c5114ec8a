import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tools } from "./layout.mjs";

const pollMilliseconds = 250;
/** Nobody holds the take-over for longer than this; it covers two file operations. */
const takeOverMilliseconds = 10_000;

/**
 * One set-up at a time. Waits for another that runs (and says so, once), takes over from one that died.
 * @param {(pid: number) => void} onWait
 * @returns {Promise<() => void>} gives the lock back
 */
export async function lock(onWait, folder = tools) {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, "setup.lock");
  const mine = `${process.pid} ${startOf(process.pid)}\n`;
  let told = false;
  while (!createNew(file, mine)) {
    const holder = read(file);
    if (holder === undefined) continue;
    if (!alive(holder)) {
      takeOver(file, holder);
    } else {
      if (!told) onWait(Number(holder.split(" ")[0]));
      told = true;
      await sleep(pollMilliseconds);
    }
  }
  return () => {
    if (read(file) === mine) rmSync(file, { force: true });
  };
}

/** Removes a dead set-up's lock, one waiter at a time: else the second would remove the lock that the first has just taken. */
function takeOver(file, dead) {
  const guard = `${file}.takeover`;
  if (!createNew(guard, "")) {
    const age = Date.now() - (statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > takeOverMilliseconds) rmSync(guard, { force: true });
    return;
  }
  if (read(file) === dead) rmSync(file, { force: true });
  rmSync(guard, { force: true });
}

/** Creates a file that isn't there, whole at once: nobody sees it empty. */
function createNew(file, text) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function alive(holder) {
  const [pid, start] = holder.trim().split(" ");
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if (error.code === "ESRCH") return false;
  }
  return startOf(pid) === start;
}

/** When a process started, so that a number used again isn't taken for it. "-" where /proc doesn't tell. */
function startOf(pid) {
  const stat = read(`/proc/${pid}/stat`);
  // The name in parentheses may hold spaces; the start time is the 20th field after it.
  return stat === undefined ? "-" : (stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "-");
}
