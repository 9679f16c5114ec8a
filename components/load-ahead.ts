import * as docker from "@pulumi/docker";
import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";

/** The checks have started their processes by then, and the program waits for them. */
const WAITING_MS = 60;

/**
 * Loads what declaring the resources needs while the checks run: the classes, and the compiler with which Pulumi serializes dynamic providers. Without
 * this they are loaded when first used, and then everything waits.
 */
export function loadAhead(): void {
  setTimeout(() => {
    void [gcp.cloudrunv2.Service, docker.Image];
    pulumi.runtime.serializeFunction(() => undefined).catch(() => {});
  }, WAITING_MS);
}
