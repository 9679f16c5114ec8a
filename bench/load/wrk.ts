import path from "node:path";
import { command } from "../command.ts";

/** What wrk saw. */
export interface Throughput {
  perSecond: number;
  /** ms */
  p99: number;
}

const SCRIPT = path.join(import.meta.dirname, "wrk.lua");

/**
 * Asks for one decision over `connections` connections, as fast as answers come. @param bodyFile holds the request's body
 * @throws when a request failed: a rate with failures says nothing
 */
export async function wrk(
  target: { url: string; host: string; bodyFile: string },
  { connections, seconds, signal }: { connections: number; seconds: number; signal: AbortSignal },
): Promise<Throughput> {
  // One thread: on a small machine the cores are for what is measured.
  const args = [
    "-t1",
    `-c${connections}`,
    `-d${seconds}s`,
    "-s",
    SCRIPT,
    target.url,
    "--",
    target.bodyFile,
    target.host,
  ];
  const output = await command("wrk", args, { signal });
  const { requests, microseconds, failed, p99 } = JSON.parse(output.trim().split("\n").at(-1) as string) as {
    requests: number;
    microseconds: number;
    failed: number;
    p99: number;
  };
  if (failed > 0) throw new Error(`${failed} of ${requests} requests to ${target.url} failed`);
  return { perSecond: requests / (microseconds / 1e6), p99: p99 / 1000 };
}
