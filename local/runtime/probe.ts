import { request } from "node:http";
import { connect } from "node:net";

/** Where a container listens, seen from this machine. */
export interface Address {
  host: string;
  port: number;
}

/** One readiness check: true when the container answers below 400 (or takes a connection, without a path). Never throws. */
export function probe(address: Address, path: string | undefined, timeoutMs: number): Promise<boolean> {
  return path === undefined ? probeTcp(address, timeoutMs) : probeHttp(address, path, timeoutMs);
}

function probeHttp(address: Address, path: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ ...address, path, agent: false, timeout: timeoutMs }, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 400);
    });
    asked.on("timeout", () => asked.destroy(new Error("timeout")));
    asked.on("error", () => resolve(false));
    asked.end();
  });
}

function probeTcp(address: Address, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, timeout: timeoutMs });
    const settle = (isReady: boolean) => {
      socket.destroy();
      resolve(isReady);
    };
    socket.on("connect", () => settle(true));
    socket.on("timeout", () => settle(false));
    socket.on("error", () => settle(false));
  });
}
