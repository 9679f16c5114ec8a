import type Docker from "dockerode";
import type { Container, Probe, RevisionTemplate } from "../../components/cloudrun/api.ts";

/** What Cloud Run gives a container that names no port. */
const DEFAULT_PORT = 8080;
/** Without a startup probe of its own a container has this long. */
const DEFAULT_STARTUP_SECONDS = 60;

export const INSTANCE_LABEL = "flowpilot.local-cloud-run.instance";
export const REVISION_LABEL = "flowpilot.local-cloud-run.revision";
export const SERVICE_LABEL = "flowpilot.local-cloud-run.service";

/** How to tell that a container can serve. */
export interface Readiness {
  port: number;
  /** Undefined: a TCP connection is enough. */
  path: string | undefined;
  deadlineMs: number;
}

/** Readiness as the template's startup probe says; `/health` on the container's port when it says nothing. */
export function readinessOf(template: RevisionTemplate): Readiness {
  const probe = template.containers[0]?.startupProbe;
  const port = containerPort(template);
  if (probe === undefined) return { port, path: "/health", deadlineMs: DEFAULT_STARTUP_SECONDS * 1000 };
  const tcp = probe.tcpSocket as { port?: number } | undefined | null;
  const isTcp = tcp !== undefined && tcp !== null && (probe.httpGet ?? undefined) === undefined;
  return {
    port: probe.httpGet?.port ?? tcp?.port ?? port,
    path: isTcp ? undefined : (probe.httpGet?.path ?? "/health"),
    deadlineMs: startupSeconds(probe) * 1000,
  };
}

/** Source: the defaults of google.cloud.run.v2.Probe (period 10 s, threshold 3). */
function startupSeconds(probe: Probe): number {
  return (probe.initialDelaySeconds ?? 0) + (probe.periodSeconds ?? 10) * (probe.failureThreshold ?? 3);
}

export function containerPort(template: RevisionTemplate): number {
  return template.containers[0]?.ports?.[0]?.containerPort ?? DEFAULT_PORT;
}

/** The request that makes a revision's container. Ports are published on loopback only. */
export function createOptions(
  instance: string,
  service: string,
  revision: string,
  template: RevisionTemplate,
): Docker.ContainerCreateOptions {
  const container = template.containers[0] as Container;
  const port = containerPort(template);
  const ports = [...new Set([port, readinessOf(template).port])].map((number) => `${number}/tcp`);
  const memory = memoryBytes(container.resources?.limits?.memory);
  const environment = [...(container.env ?? [])].map((variable) => `${variable.name}=${variable.value ?? ""}`);
  return {
    Image: container.image,
    ...(nonEmpty(container.command) && { Entrypoint: container.command }),
    ...(nonEmpty(container.args) && { Cmd: container.args }),
    Env: [...environment, `PORT=${port}`, `K_REVISION=${revision.slice(revision.lastIndexOf("/") + 1)}`],
    Labels: { [INSTANCE_LABEL]: instance, [SERVICE_LABEL]: service, [REVISION_LABEL]: revision },
    ExposedPorts: Object.fromEntries(ports.map((name) => [name, {}])),
    HostConfig: {
      PortBindings: Object.fromEntries(ports.map((name) => [name, [{ HostIp: "127.0.0.1", HostPort: "" }]])),
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      Tmpfs: { "/tmp": "rw,nosuid,nodev,size=64m" },
      LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "2" } },
      ...(memory !== undefined && { Memory: memory }),
    },
  };
}

function nonEmpty(list: string[] | undefined): list is string[] {
  return list !== undefined && list.length > 0;
}

const UNITS: Record<string, number> = { "": 1, k: 1e3, Ki: 2 ** 10, M: 1e6, Mi: 2 ** 20, G: 1e9, Gi: 2 ** 30 };

/** A Kubernetes quantity ("512Mi") in bytes; undefined when there is none or it can't be read. */
export function memoryBytes(quantity: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(k|Ki|M|Mi|G|Gi)?$/.exec(quantity ?? "");
  if (match === null) return undefined;
  const factor = UNITS[match[2] ?? ""] ?? 1;
  return Math.round(Number(match[1]) * factor);
}
