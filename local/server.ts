import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import Docker from "dockerode";
import { AdminApi } from "./admin/api.ts";
import { createAdminServer } from "./admin/server.ts";
import { stats } from "./admin/stats.ts";
import { consoleData } from "./console/data.ts";
import { Controller } from "./control/controller.ts";
import { planContainers } from "./control/plan.ts";
import { buildRoutes } from "./front/routes.ts";
import { Front } from "./front/server.ts";
import { KnativeApi } from "./knative/api.ts";
import { lockDataDirectory } from "./lock.ts";
import { Containers } from "./runtime/containers.ts";
import { Supervisor } from "./runtime/supervisor.ts";
import { Store } from "./store.ts";

export interface LocalCloudRunOptions {
  dataDir: string;
  /** 0 takes a free one. */
  adminPort: number;
  /** 0 takes a free one; then service URLs change with every start. */
  frontPort: number;
  /** Default: the engine of DOCKER_HOST, or the one on the usual socket. */
  docker?: Docker;
  requireToken?: string;
  /** Tag-only revisions are stopped after this long without a request. Default 10 min. */
  idleMs?: number;
  /** Revisions that nothing addresses are stopped after this long, requests in flight permitting. Default 3 s. */
  leaveMs?: number;
  log?: (line: string) => void;
}

export interface LocalCloudRun {
  adminUrl: string;
  frontUrl: string;
  /** Labels this instance's containers. */
  instance: string;
  /** Ends it. Containers are stopped (default), left running, or removed. */
  stop(options?: { containers?: "stop" | "keep" | "remove" }): Promise<void>;
}

/** Starts a local Cloud Run in this process. Throws when the data directory is in use, Docker doesn't answer, or a port is taken. */
export async function startLocalCloudRun(options: LocalCloudRunOptions): Promise<LocalCloudRun> {
  const log = options.log ?? (() => undefined);
  const lock = await lockDataDirectory(options.dataDir);
  const undo: (() => Promise<void>)[] = [() => lock.release()];
  try {
    const store = await Store.open(options.dataDir);
    const containers = new Containers(options.docker ?? new Docker(), store.state.instance);
    await containers.check();
    const supervisor = new Supervisor(containers, {
      idleMs: options.idleMs ?? 10 * 60_000,
      leaveMs: options.leaveMs ?? 3000,
      log,
    });
    undo.push(() => supervisor.close("keep"));
    const front = new Front({ slot: (revision) => supervisor.slot(revision), ready: (slot) => supervisor.ready(slot) });
    const frontPort = await listen(front.server, options.frontPort, "front end", "--port");
    undo.push(() => close(front.server));
    const setRoutes = () => front.setRoutes(buildRoutes(Object.values(store.state.services)));
    const controller = new Controller(store, supervisor, {
      frontPort: () => frontPort,
      onRoutesChanged: setRoutes,
      log,
    });
    await supervisor.adopt(planContainers(store.state));
    setRoutes();
    controller.resume();
    const identity = { instance: store.state.instance, pid: process.pid, dataDir: options.dataDir };
    const admin = createAdminServer({
      api: new AdminApi(controller, () => frontPort),
      knative: new KnativeApi(controller, () => frontPort),
      requireToken: options.requireToken,
      local: { "/local/stats": () => stats(store.state, supervisor, frontPort), "/local/status": () => identity },
      console: () => consoleData(store.state, supervisor, frontPort, new Date()),
      log,
    });
    const adminPort = await listen(admin, options.adminPort, "Admin API", "--admin-port");
    undo.push(() => close(admin));
    const adminUrl = `http://127.0.0.1:${adminPort}`;
    const frontUrl = `http://127.0.0.1:${frontPort}`;
    await lock.update({ adminUrl, frontUrl });
    return {
      adminUrl,
      frontUrl,
      instance: store.state.instance,
      stop: async ({ containers: fate = "stop" } = {}) => {
        await close(admin);
        await close(front.server);
        controller.close();
        await supervisor.close(fate);
        await controller.settled();
        await store.save();
        await lock.release();
      },
    };
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => undefined);
    throw error;
  }
}

/** Listens on loopback and answers with the port. */
function listen(server: Server, port: number, what: string, flag: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      if (cause.code !== "EADDRINUSE") return reject(cause);
      reject(
        new Error(
          `Port ${port} for the ${what} is in use by something else. Free it, or choose another with ${flag}.`,
          { cause },
        ),
      );
    });
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

/** Ends a server: requests in flight get a moment, idle connections are closed at once. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), 2000);
  await closed;
  clearTimeout(timer);
}
