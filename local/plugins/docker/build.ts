import { randomBytes } from "node:crypto";
import { lstatSync, readFileSync } from "node:fs";
import { relative as pathFrom, resolve } from "node:path";
import type { Readable } from "node:stream";
import type Dockerode from "dockerode";
import type { Call } from "../plugin.ts";
import { type Context, ignoreFilter, ignorePatterns, relativeDockerfile } from "./context.ts";
import type { Auth } from "./credentials.ts";
import { follow } from "./progress.ts";

export interface BuildOptions {
  imageName: string;
  context: Context;
  platform?: string;
  target?: string;
  network?: string;
  addHosts?: string[];
  args?: Record<string, string>;
}

/** Loading the client takes longer than an empty build: called ahead when a build is likely. */
export async function connect(host?: string): Promise<Dockerode> {
  const { default: Docker } = await import("dockerode");
  if (host === undefined) return new Docker();
  if (host.startsWith("unix://")) return new Docker({ socketPath: host.slice("unix://".length) });
  if (!URL.canParse(host)) {
    throw new Error(
      `host of docker.Provider: ${JSON.stringify(host)} is no address: expected unix://PATH or tcp://HOST:PORT`,
    );
  }
  const { hostname, port, protocol } = new URL(host);
  return new Docker({ host: hostname, port, protocol: protocol === "https:" ? "https" : "http" });
}

/** Builds an image with the classic builder and tags it; returns the image's id. The build's output goes to the resource's status. */
export async function build(docker: Dockerode, options: BuildOptions, call: Call): Promise<string> {
  call.log.status("Starting Docker build");
  const { tar, dockerfile } = await contextTar(options.context);
  let stream: NodeJS.ReadableStream;
  try {
    stream = await docker.buildImage(tar, {
      t: options.imageName,
      dockerfile,
      // The client would send what is undefined as an empty text, which the engine refuses.
      ...(options.args !== undefined && { buildargs: options.args }),
      ...(options.platform !== undefined && { platform: options.platform }),
      ...(options.target !== undefined && { target: options.target }),
      ...(options.network !== undefined && { networkmode: options.network }),
      ...(options.addHosts !== undefined && { extrahosts: options.addHosts as unknown as string }),
      version: "1",
      abortSignal: call.signal,
    });
  } catch (error) {
    throw new Error(`error building image: ${reason(error)}`, { cause: error });
  }
  try {
    const { id } = await follow(stream as Readable, call.log.status);
    if (id !== undefined) return id;
  } catch (error) {
    throw new Error(`error reading build output: ${reason(error)}`, { cause: error });
  }
  throw new Error("no image id found in build output");
}

/** Pushes a tagged image; returns the digest of its manifest. */
export async function push(docker: Dockerode, imageName: string, auth: Auth, call: Call): Promise<string> {
  call.log.status("Pushing Image to the registry");
  const stream = await docker.getImage(imageName).push({ authconfig: auth, abortSignal: call.signal });
  let digest: string | undefined;
  try {
    ({ digest } = await follow(stream as Readable, call.log.status));
  } catch (error) {
    throw new Error(`error reading push output: ${reason(error)}`, { cause: error });
  }
  if (digest === undefined) throw new Error(`the Docker engine reported no digest for the push of ${imageName}`);
  return digest;
}

/** The context as a tar, without what .dockerignore names, owned by root, with the Dockerfile added when it lies outside. */
async function contextTar(context: Context): Promise<{ tar: Readable; dockerfile: string }> {
  const { default: tarFs } = await import("tar-fs");
  const relative = relativeDockerfile(context);
  const outside = relative.startsWith("../");
  const ignored = ignoreFilter(ignorePatterns(context));
  // The builder needs these two, whatever .dockerignore says.
  const needed = new Set([relative, ".dockerignore"]);
  const dockerfile = outside ? `.dockerfile.${randomBytes(8).toString("hex")}` : relative;
  const root = context.directory;
  const tar = tarFs.pack(root, {
    ignore: (path) => {
      const name = pathFrom(resolve(root), resolve(path));
      if (name === "" || needed.has(name) || !ignored(name)) return false;
      // A directory stays: an exception pattern may name something below it.
      return !lstatSync(path).isDirectory();
    },
    map: (header) => ({ ...header, uid: 0, gid: 0 }),
    finalize: !outside,
    finish: (pack) => {
      if (!outside) return;
      pack.entry({ name: dockerfile }, readFileSync(context.dockerfile));
      pack.finalize();
    },
  });
  // The types are those of a later tar-stream than tar-fs brings; what it makes is a Readable.
  return { tar: tar as unknown as Readable, dockerfile };
}

/** The Docker engine's own words, without dockerode's prefix. */
function reason(error: unknown): string {
  const { reason, json, message } = error as { reason?: string; json?: { message?: string }; message?: string };
  return json?.message ?? message ?? reason ?? String(error);
}
