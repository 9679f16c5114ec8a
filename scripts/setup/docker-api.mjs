import http from "node:http";
import { SetupProblem } from "./problem.mjs";

const defaultSocket = "/var/run/docker.sock";

/** @returns {import("node:http").RequestOptions} where the Docker engine listens: DOCKER_HOST, or its usual socket */
export function dockerAddress(host = process.env.DOCKER_HOST ?? "") {
  if (host === "") return { socketPath: defaultSocket };
  const url = new URL(host);
  if (url.protocol === "unix:") return { socketPath: url.pathname };
  if (url.protocol === "tcp:" || url.protocol === "http:")
    return { host: url.hostname, port: Number(url.port || 2375) };
  throw new SetupProblem(
    `DOCKER_HOST is ${host}; this project speaks to unix:// and tcp:// addresses only.`,
    "Unset DOCKER_HOST to use this machine's Docker engine.",
  );
}

/**
 * One request to the Docker engine's API.
 * @param {Buffer} [body] a tar archive
 * @returns {Promise<{status: number, text: string}>}
 */
export function dockerRequest(method, path, { body, seconds = 5 } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({
      ...dockerAddress(),
      method,
      path,
      agent: false,
      headers: body === undefined ? {} : { "content-type": "application/x-tar", "content-length": body.length },
    });
    request.setTimeout(seconds * 1000, () => request.destroy(new Error(`no answer within ${seconds} s`)));
    request.on("error", reject);
    request.on("response", (response) => {
      const pieces = [];
      response.on("data", (piece) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode, text: Buffer.concat(pieces).toString("utf8") }));
    });
    request.end(body);
  });
}

/** @returns {Promise<undefined | Error>} undefined when the engine answers; otherwise why it doesn't */
export async function dockerProblem() {
  try {
    const { status, text } = await dockerRequest("GET", "/_ping");
    return status === 200 ? undefined : new Error(`it answered ${status}: ${text.slice(0, 200)}`);
  } catch (error) {
    if (error instanceof SetupProblem) throw error;
    return error;
  }
}
