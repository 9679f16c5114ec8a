import type { Release } from "../commit/release.ts";
import type { Config } from "../config.ts";
import { type Inspection, inspectService } from "../rollout/inspect.ts";

/**
 * Looks at the live service in every region before anything is declared. A release that is quarantined in one is refused in all.
 * @throws UserError of the first region that refuses.
 */
export async function inspectRegions(config: Config, release: Release): Promise<Inspection> {
  const inspections = await Promise.all(config.regions.map((region) => inspectService({ ...config, region }, release)));
  return {
    request: inspections.map(({ request }) => request).find((request) => request !== "") ?? "",
    existing: inspections.flatMap(({ existing }) => existing),
    proven: inspections.every(({ proven }) => proven),
    frozen: inspections.some(({ frozen }) => frozen),
  };
}
