import type { Revision, Service } from "../cloudrun/api.ts";
import { shortName } from "../cloudrun/names.ts";
import { splitOf, tagsOf } from "../cloudrun/traffic.ts";
import { rolloutOf } from "../rollout/markers.ts";
import { bootstrapRevision } from "../service/template.ts";

/** What goes: revisions, and the tags that point at them. */
export interface Pruning {
  revisions: string[];
  tags: string[];
}

/**
 * The releases that are too old to keep. Kept are the newest `retain`, whatever serves or is in a rollout, what `targets` name (what a rollback
 * would go back to), the bootstrap revision, and every revision that carries a tag which isn't its release's own: somebody put that there.
 */
export function planPruning(live: Service, revisions: Revision[], retain: number, targets: string[]): Pruning {
  const service = shortName(live.name);
  const rollout = rolloutOf(live);
  const tags = Object.entries(tagsOf(live));
  const kept = new Set([
    bootstrapRevision(service),
    ...targets,
    ...Object.keys(splitOf(live)),
    ...(rollout === undefined ? [] : [rollout.revision, ...Object.keys(rollout.baseline)]),
    ...tags.filter(([tag, revision]) => tag !== ownTag(service, revision)).map(([, revision]) => revision),
  ]);
  const releases = revisions
    .filter(({ labels }) => labels?.release !== undefined)
    .sort((a, b) => b.createTime.localeCompare(a.createTime))
    .map(({ name }) => shortName(name));
  const old = releases.slice(retain).filter((name) => !kept.has(name));
  return { revisions: old, tags: tags.filter(([, revision]) => old.includes(revision)).map(([tag]) => tag) };
}

/** `va3f9d2c` of `flowpilot-opa-a3f9d2c` */
function ownTag(service: string, revision: string): string {
  return `v${revision.slice(service.length + 1)}`;
}
