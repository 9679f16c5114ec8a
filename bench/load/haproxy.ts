import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../components/opa/free-port.ts";
import { temporaryDirectory } from "../place/temporary.ts";

/** A running haproxy. `await using` ends it. */
export type Haproxy = AsyncDisposable & { url: string };

/** Routes by host name to one server and says who asked, as the local front end does; all else is haproxy's default. */
const configuration = (port: number, host: string, server: string) => `
global
  maxconn 4096
defaults
  mode http
  option forwardfor
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:${port}
  use_backend container if { req.hdr(host),field(1,:) -i ${host} }
backend container
  server container ${server}
`;

/** Starts haproxy in front of a server (`address:port`) and waits until it listens. */
export async function startHaproxy(host: string, server: string): Promise<Haproxy> {
  const directory = await temporaryDirectory();
  const file = path.join(directory.path, "haproxy.cfg");
  const port = await freePort();
  await writeFile(file, configuration(port, host, server));
  // In the foreground, as one process that ends with its signal.
  const child = spawn("/usr/sbin/haproxy", ["-db", "-q", "-f", file], { stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(child, "close");
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    await directory[Symbol.asyncDispose]();
  };
  for (const deadline = Date.now() + 10_000; !(await listens(port)); await sleep(20)) {
    if (child.exitCode === null && Date.now() < deadline) continue;
    await stop();
    throw new Error("haproxy did not start");
  }
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: stop };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
