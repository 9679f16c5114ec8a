import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import type { RevisionTemplate } from "../../components/cloudrun/api.ts";
import { ApiError } from "../errors.ts";
import { createOptions, INSTANCE_LABEL, REVISION_LABEL, readinessOf } from "./container-spec.ts";
import { type Address, probe } from "./probe.ts";

const POLL_MS = 10;
const PROBE_TIMEOUT_MS = 1000;
/** A container's own address answers or refuses at once where it can be reached at all. */
const DIRECT_TIMEOUT_MS = 250;

/** A container that passed its readiness check. */
export interface RunningContainer {
  id: string;
  address: Address;
  /** Resolves when the container has ended, with its exit code; also when the engine can't be asked any more (code undefined). */
  ended: Promise<number | undefined>;
}

/** The containers of one local Cloud Run on a Docker engine. */
export class Containers {
  readonly #docker: Docker;
  readonly #instance: string;

  constructor(docker: Docker, instance: string) {
    this.#docker = docker;
    this.#instance = instance;
  }

  /** Throws with what to do when the engine doesn't answer. */
  async check(): Promise<void> {
    try {
      await this.#docker.ping();
    } catch (cause) {
      throw new Error(
        `The Docker engine doesn't answer (${(cause as Error).message}). The local Cloud Run runs revisions as containers: start Docker, or name another engine in DOCKER_HOST.`,
        { cause },
      );
    }
  }

  /** Ids of this instance's containers by full revision name, running or not. */
  async list(): Promise<Map<string, string>> {
    const found = await this.#docker.listContainers({
      all: true,
      filters: { label: [`${INSTANCE_LABEL}=${this.#instance}`] },
    });
    return new Map(found.map((container) => [container.Labels[REVISION_LABEL] ?? "", container.Id]));
  }

  /** Makes a container without starting it. Throws an ApiError that a condition can show. */
  async create(service: string, revision: string, template: RevisionTemplate): Promise<string> {
    try {
      const container = await this.#docker.createContainer(createOptions(this.#instance, service, revision, template));
      return container.id;
    } catch (cause) {
      const image = template.containers[0]?.image ?? "";
      if ((cause as { statusCode?: number }).statusCode === 404) {
        throw new ApiError("FAILED_PRECONDITION", `Image '${image}' not found on this machine's Docker engine.`, {
          reason: "ContainerMissing",
          cause,
        });
      }
      throw new ApiError(
        "FAILED_PRECONDITION",
        `A container of image '${image}' can't be made: ${(cause as Error).message}`,
        {
          reason: "ContainerCreateFailed",
          cause,
        },
      );
    }
  }

  /**
   * Starts a container (or joins one that runs) and waits until it can serve. Throws an ApiError when it ends or isn't ready in time;
   * the message holds what it logged, shortened. An aborted start leaves the container as it is.
   */
  async start(id: string, template: RevisionTemplate, signal: AbortSignal): Promise<RunningContainer> {
    const container = this.#docker.getContainer(id);
    const readiness = readinessOf(template);
    const deadline = Date.now() + readiness.deadlineMs;
    try {
      await container.start();
    } catch (error) {
      // 304: it runs already.
      if ((error as { statusCode?: number }).statusCode !== 304) {
        throw new ApiError("FAILED_PRECONDITION", `The container can't be started: ${(error as Error).message}`, {
          reason: "ContainerStartFailed",
          cause: error,
        });
      }
    }
    const ended = container.wait({ condition: "not-running" }).then(
      (result: { StatusCode: number }) => result.StatusCode,
      () => undefined,
    );
    const isOver = { value: false };
    void ended.then(() => (isOver.value = true));
    const mayGoOn = () => !isOver.value && !signal.aborted && Date.now() < deadline;
    const address = await this.#firstReadyAddress(container, readiness.port, readiness.path, mayGoOn);
    if (address !== undefined) return { id, address, ended };
    if (signal.aborted) throw new ApiError("UNAVAILABLE", "The local Cloud Run is shutting down.");
    const hasExited = isOver.value;
    const code = hasExited ? await ended : undefined;
    const logs = shortenLog(await this.lastLogLines(id, 200));
    if (!hasExited) await this.stop(id, 0);
    const what = hasExited
      ? `The container exited with code ${code ?? "unknown"} before it was ready`
      : `The container wasn't ready on port ${readiness.port}${readiness.path ?? ""} within ${readiness.deadlineMs / 1000} s`;
    throw new ApiError(
      "FAILED_PRECONDITION",
      `${what}. ${logs === "" ? "It logged nothing." : `It logged:\n${logs}`}`,
      {
        reason: hasExited ? "ContainerExited" : "HealthCheckContainerError",
      },
    );
  }

  async #firstReadyAddress(
    container: Docker.Container,
    port: number,
    path: string | undefined,
    mayGoOn: () => boolean,
  ): Promise<Address | undefined> {
    let addresses: { direct: Address | undefined; published: Address } | undefined;
    while (mayGoOn()) {
      addresses ??= await this.#addresses(container, port).catch(() => undefined);
      if (addresses !== undefined) {
        const { direct, published } = addresses;
        // The container's own address spares the engine's port proxy, but not every machine can reach it.
        const asked = Date.now();
        if (direct !== undefined && (await probe(direct, path, DIRECT_TIMEOUT_MS))) return direct;
        if (Date.now() - asked >= DIRECT_TIMEOUT_MS) addresses.direct = undefined;
        if (addresses.direct === undefined && (await probe(published, path, PROBE_TIMEOUT_MS))) return published;
      }
      await delay(POLL_MS);
    }
    return undefined;
  }

  async #addresses(container: Docker.Container, port: number) {
    const { NetworkSettings: settings } = await container.inspect();
    const published = settings.Ports?.[`${port}/tcp`]?.[0];
    if (published === undefined) return undefined;
    const ip = process.platform === "linux" ? Object.values(settings.Networks)[0]?.IPAddress : undefined;
    return {
      direct: ip === undefined || ip === "" ? undefined : { host: ip, port },
      published: { host: "127.0.0.1", port: Number(published.HostPort) },
    };
  }

  /** Ends a container, at the latest after `graceSeconds`; one that is gone or doesn't run is fine. */
  async stop(id: string, graceSeconds: number): Promise<void> {
    await this.#docker.getContainer(id).stop({ t: graceSeconds }).catch(ignoreStatus(304, 404));
  }

  async remove(id: string): Promise<void> {
    await this.#docker.getContainer(id).remove({ force: true, v: true }).catch(ignoreStatus(404, 409));
  }

  /** The end of what the container wrote, stdout and stderr together. Empty when it can't be had. */
  async lastLogLines(id: string, lines: number): Promise<string> {
    try {
      const output = await this.#docker.getContainer(id).logs({ stdout: true, stderr: true, tail: lines });
      return demultiplex(output).trim();
    } catch {
      return "";
    }
  }
}

/** Lines of a long log that a message keeps: programs say what is wrong first or last, and print their usage in between. */
const FIRST_LINES = 3;
const LAST_LINES = 8;

/** A log short enough for a condition's message. Pure. */
export function shortenLog(log: string): string {
  const lines = log.split("\n");
  const left = lines.length - FIRST_LINES - LAST_LINES;
  if (left <= 1) return log;
  return [...lines.slice(0, FIRST_LINES), `… ${left} lines …`, ...lines.slice(-LAST_LINES)].join("\n");
}

/** Takes the stream headers out of a log. Source: Docker Engine API, "Attach to a container", stream format. */
function demultiplex(output: Buffer): string {
  const parts: string[] = [];
  for (let offset = 0; offset + 8 <= output.length; ) {
    const length = output.readUInt32BE(offset + 4);
    parts.push(output.toString("utf8", offset + 8, offset + 8 + length));
    offset += 8 + length;
  }
  return parts.join("");
}

function ignoreStatus(...codes: number[]): (error: { statusCode?: number }) => void {
  return (error) => {
    if (error.statusCode === undefined || !codes.includes(error.statusCode)) throw error;
  };
}
