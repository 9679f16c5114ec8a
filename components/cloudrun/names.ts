import type { Config } from "../config.ts";

/** projects/P/locations/L/services/S */
export function serviceFullName(config: Pick<Config, "project" | "region" | "serviceName">): string {
  return `projects/${config.project}/locations/${config.region}/services/${config.serviceName}`;
}

/** `flowpilot-opa` of `projects/p/locations/l/services/flowpilot-opa`. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
