import { lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { Agent } from "undici";

let agent: Agent | undefined;

/**
 * The one HTTP agent of this process: keep-alive, no limit on connections, names under `.localhost` go to 127.0.0.1.
 * It is made on first use and never closed; idle connections don't keep the process alive.
 */
export function httpAgent(): Agent {
  agent ??= new Agent({ connect: { lookup: loopbackLookup }, keepAliveTimeout: 30_000 });
  return agent;
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
