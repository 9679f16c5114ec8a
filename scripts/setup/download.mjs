import { createHash } from "node:crypto";
import { createWriteStream, mkdirSync } from "node:fs";
import path from "node:path";
import { unfinished } from "./layout.mjs";

/** No reply within this: refused. Firewalls often drop packets, and set-up has another way. */
const answerMilliseconds = 5_000;
/** No further data within this: given up. */
const stallMilliseconds = 15_000;

const refusedHosts = new Map();

/** Why a download can't be used. `refused`: the host can't be reached at all. */
export class DownloadProblem extends Error {
  refused = false;
  mismatch = false;
}

/** @returns {Promise<string | undefined>} why the host of this URL can't be reached; undefined when it answers, whatever it says */
export async function refusal(url) {
  try {
    await read(url, () => {});
  } catch (error) {
    if (error.refused) return error.message;
  }
  return undefined;
}

/** @returns {Promise<string>} a small text file */
export async function downloadText(url) {
  const pieces = [];
  await read(url, (piece) => pieces.push(piece));
  return Buffer.concat(pieces).toString("utf8");
}

/**
 * Downloads to a file under .tools/unfinished and compares its SHA-256.
 * @returns {Promise<string>} the file
 */
export async function download(url, name, sha256) {
  mkdirSync(unfinished, { recursive: true });
  const target = path.join(unfinished, name);
  const file = createWriteStream(target);
  const hash = createHash("sha256");
  await read(url, (piece) => {
    hash.update(piece);
    if (!file.write(piece)) return new Promise((resolve) => file.once("drain", resolve));
  });
  await new Promise((resolve, reject) => file.end((error) => (error ? reject(error) : resolve())));
  const found = hash.digest("hex");
  if (found !== sha256) {
    const problem = new DownloadProblem(`${url} has SHA-256 ${found}, but ${sha256} is published for it`);
    problem.mismatch = true;
    throw problem;
  }
  return target;
}

async function read(url, take) {
  const { host } = new URL(url);
  const refusal = refusedHosts.get(host);
  if (refusal !== undefined) throw refusal;
  const controller = new AbortController();
  let timer = setTimeout(() => controller.abort(new Error("no answer within 5 s")), answerMilliseconds);
  let response;
  try {
    response = await fetch(url, { signal: controller.signal, redirect: "follow" });
  } catch (error) {
    const problem = new DownloadProblem(`${host}: ${reason(error)}`, { cause: error });
    problem.refused = true;
    refusedHosts.set(host, problem);
    throw problem;
  } finally {
    clearTimeout(timer);
  }
  if (!response.ok) throw new DownloadProblem(`${url} answered ${response.status}`);
  try {
    const reader = response.body.getReader();
    for (;;) {
      timer = setTimeout(() => controller.abort(new Error("no data for 15 s")), stallMilliseconds);
      const { done, value } = await reader.read();
      clearTimeout(timer);
      if (done) return;
      await take(value);
    }
  } catch (error) {
    throw new DownloadProblem(`${url} broke off: ${reason(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function reason(error) {
  return error.cause?.code ?? error.cause?.message ?? error.message;
}
