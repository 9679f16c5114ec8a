import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import path from "node:path";
import { logs, root } from "./layout.mjs";

/** Of a command's output, this many lines from each end go into an error. */
const keptLines = 8;

const running = new Set();

let stopped = false;

/** Ends the commands that still run, each by its own process, and lets no other begin. */
export function stopCommands() {
  stopped = true;
  for (const child of running) child.kill("SIGTERM");
}

/**
 * Runs a command; its output goes to .tools/logs/NAME.log, and line by line to `onLine`.
 * @returns {Promise<{code: number, lines: string[], shown: string, log: string}>} the exit code (127: no such command), the last
 *   lines, the first and last ones as shown in an error, the log's path
 */
export async function run(
  name,
  command,
  parameters,
  { cwd = root, env = process.env, onLine = () => {}, seconds } = {},
) {
  if (stopped) throw new Error("set-up is being stopped");
  mkdirSync(logs, { recursive: true });
  const log = path.join(logs, `${name}.log`);
  const file = createWriteStream(log);
  file.write(`$ ${[command, ...parameters].join(" ")}\n`);
  const child = spawn(command, parameters, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const timer = seconds === undefined ? undefined : setTimeout(() => child.kill("SIGTERM"), seconds * 1000);
  const first = [];
  let last = [];
  let dropped = 0;
  let rest = "";
  const keep = (line) => {
    if (line.trim() === "") return;
    if (first.length < keptLines) first.push(line);
    else last.push(line);
    if (last.length > keptLines) {
      last = last.slice(1);
      dropped++;
    }
  };
  const take = (chunk) => {
    file.write(chunk);
    const parts = (rest + chunk).split(/[\r\n]+/);
    rest = parts.pop();
    for (const line of parts) {
      keep(line);
      onLine(line);
    }
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", take);
  const code = await new Promise((resolve) => {
    child.on("error", (error) => {
      take(`${error.message}\n`);
      resolve(error.code === "ENOENT" ? 127 : 126);
    });
    child.on("close", (status) => resolve(status ?? 1));
  });
  clearTimeout(timer);
  running.delete(child);
  await new Promise((resolve) => file.end(resolve));
  keep(rest);
  const lines = [...first, ...last];
  const shown = [...first, ...(dropped > 0 ? [`(${dropped} more lines)`] : []), ...last];
  return { code, lines, shown: shown.map((line) => `    ${line}`).join("\n"), log };
}

/** Starts a process that stays when set-up ends, with its output in `log`. */
export function startDetached(command, parameters, log) {
  const child = spawn(command, parameters, { cwd: "/", detached: true, stdio: ["ignore", log, log] });
  child.on("error", () => {});
  child.unref();
  return child;
}
