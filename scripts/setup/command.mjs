import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import path from "node:path";
import { logs, root } from "./layout.mjs";

const running = new Set();

/** Ends the commands that still run, each by its own process. */
export function stopCommands() {
  for (const child of running) child.kill("SIGTERM");
}

/**
 * Runs a command; its output goes to .tools/logs/NAME.log, and line by line to `onLine`.
 * @returns {Promise<{code: number, lines: string[], log: string}>} the exit code (127: no such command), the last lines, the log's path
 */
export async function run(
  name,
  command,
  parameters,
  { cwd = root, env = process.env, onLine = () => {}, seconds } = {},
) {
  mkdirSync(logs, { recursive: true });
  const log = path.join(logs, `${name}.log`);
  const file = createWriteStream(log);
  file.write(`$ ${[command, ...parameters].join(" ")}\n`);
  const child = spawn(command, parameters, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const timer = seconds === undefined ? undefined : setTimeout(() => child.kill("SIGTERM"), seconds * 1000);
  let lines = [];
  let rest = "";
  const take = (chunk) => {
    file.write(chunk);
    const parts = (rest + chunk).split(/[\r\n]+/);
    rest = parts.pop();
    for (const line of parts) onLine(line);
    lines = [...lines, ...parts].slice(-15);
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
  if (rest !== "") lines.push(rest);
  return { code, lines: lines.filter((line) => line.trim() !== ""), log };
}

/** Starts a process that stays when set-up ends, with its output in `log`. */
export function startDetached(command, parameters, log) {
  const child = spawn(command, parameters, { cwd: "/", detached: true, stdio: ["ignore", log, log] });
  child.on("error", () => {});
  child.unref();
  return child;
}
