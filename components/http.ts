import { lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { Agent, type Dispatcher } from "undici";

let agent: Dispatcher | undefined;

/**
 * The one HTTP agent of this process: keep-alive, no limit on connections, names under `.localhost` go to 127.0.0.1.
 * It is made on first use and never closed; idle connections don't keep the process alive.
 */
export function httpAgent(): Dispatcher {
  agent ??= new Agent({ connect: { lookup: loopbackLookup }, keepAliveTimeout: 30_000 });
  return agent;
}

/** Sends this process's requests elsewhere, for example to undici's MockAgent in a test; undefined brings the usual agent back. */
export function replaceHttpAgent(other: Dispatcher | undefined): void {
  agent = other;
}

/** Whether RFC 6761 (section 6.3) reserves this name for loopback: `localhost` itself and everything under it. */
export function isLoopbackName(hostname: string): boolean {
  return /(^|\.)localhost\.?$/i.test(hostname);
}

/**
 * `dns.lookup` with RFC 6761's rule for `.localhost`. Browsers and curl apply it themselves; Debian's resolver, and so
 * Node, answers ENOTFOUND.
 */
export const loopbackLookup: LookupFunction = (hostname, options, callback) => {
  if (!isLoopbackName(hostname)) {
    systemLookup(hostname, options, callback);
  } else if (options.all) {
    callback(null, [{ address: "127.0.0.1", family: 4 }]);
  } else {
    callback(null, "127.0.0.1", 4);
  }
};
