import { cpus } from "node:os";
import { command, ROOT } from "./command.ts";

/** What the figures depend on. */
export interface Machine {
  cores: number;
  processor: string;
  node: string;
  pulumi: string;
  opa: string;
  docker: string;
  [other: string]: unknown;
}

export async function describeMachine(signal: AbortSignal): Promise<Machine> {
  const [pulumi, opa, docker] = await Promise.all([
    command("bin/pulumi", ["version"], { signal }),
    command(`${ROOT}/.tools/bin/opa`, ["version"], { signal }),
    command("docker", ["version", "--format", "{{.Server.Version}}"], { signal }),
  ]);
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model ?? "unknown",
    node: process.version,
    pulumi: pulumi.trim(),
    opa: /^Version: (\S+)/m.exec(opa)?.[1] ?? "unknown",
    docker: docker.trim(),
  };
}
