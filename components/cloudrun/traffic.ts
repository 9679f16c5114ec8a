import type { Service, TrafficTarget } from "./api.ts";
import { shortName } from "./names.ts";

/** Percent of the traffic by revision (short name); entries with 0 % are left out, so two equal splits have equal entries. */
export type Split = Record<string, number>;

type TrafficOf = Pick<Service, "traffic" | "latestReadyRevision">;

/** The split a service declares, with LATEST resolved to the revision it means now. Empty traffic means all to the latest. */
export function splitOf(service: TrafficOf): Split {
  const latest = service.latestReadyRevision === undefined ? undefined : shortName(service.latestReadyRevision);
  const targets: TrafficTarget[] =
    (service.traffic ?? []).length > 0
      ? service.traffic
      : [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent: 100 }];
  const split: Split = {};
  for (const target of targets) {
    const revision = revisionOf(target, latest);
    const percent = target.percent ?? 0;
    if (revision === undefined || percent === 0) continue;
    split[revision] = (split[revision] ?? 0) + percent;
  }
  return split;
}

/** The revision behind each tag. */
export function tagsOf(service: TrafficOf): Record<string, string> {
  const latest = service.latestReadyRevision === undefined ? undefined : shortName(service.latestReadyRevision);
  const tags: Record<string, string> = {};
  for (const target of service.traffic ?? []) {
    const revision = revisionOf(target, latest);
    if (target.tag !== undefined && target.tag !== "" && revision !== undefined) tags[target.tag] = revision;
  }
  return tags;
}

function revisionOf(target: TrafficTarget, latest: string | undefined): string | undefined {
  return target.type === "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST" ? latest : target.revision;
}

/** The traffic to write for a split: the percentages as given, and every tag of `current` as it is, whoever made it. */
export function trafficFor(split: Split, current: TrafficTarget[]): TrafficTarget[] {
  const shares: TrafficTarget[] = Object.entries(split)
    .filter(([, percent]) => percent > 0)
    .map(([revision, percent]) => ({ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision, percent }));
  const tags: TrafficTarget[] = current
    .filter((target) => target.tag !== undefined && target.tag !== "")
    .map(({ type, revision, tag }) => (revision === undefined ? { type, tag } : { type, revision, tag }));
  return [...shares, ...tags];
}

/** `current` with `tag` on `revision` at 0 %, and on nothing else. The split stays what it is. */
export function withTag(current: TrafficTarget[], tag: string, revision: string): TrafficTarget[] {
  const others = current
    .map((target) => (target.tag === tag ? { ...target, tag: undefined } : target))
    .filter((target) => target.tag !== undefined || (target.percent ?? 0) > 0);
  return [...others, { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision, tag }];
}

/** Whether two splits send the same share to the same revisions. */
export function sameSplit(a: Split, b: Split): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => (a[name] ?? 0) === (b[name] ?? 0));
}

/** The revision with the largest share; the first by name where shares are equal. */
export function mainRevision(split: Split): string | undefined {
  return Object.entries(split).sort(([a, x], [b, y]) => y - x || a.localeCompare(b))[0]?.[0];
}

/** The split of a canary step: `percent` to the revision, the rest to the baseline in its own proportions. Whole percents, sum 100. */
export function canarySplit(baseline: Split, revision: string, percent: number): Split {
  const others = splitWithout(baseline, revision);
  if (percent >= 100 || Object.keys(others).length === 0) return { [revision]: 100 };
  return { [revision]: percent, ...inProportion(others, 100 - percent) };
}

/** A split without one revision: the others have all of the traffic, in their own proportions. {} where there are no others. */
export function splitWithout(split: Split, revision: string): Split {
  const { [revision]: _, ...others } = split;
  return inProportion(others, 100);
}

/** `percent` by the proportions of a split, in whole percents; {} where it is empty. */
function inProportion(split: Split, percent: number): Split {
  const entries = Object.entries(split).filter(([, share]) => share > 0);
  const total = entries.reduce((sum, [, share]) => sum + share, 0);
  let left = percent;
  const parts = entries.map(([name, share], index): [string, number] => {
    const part = index === entries.length - 1 ? left : Math.min(left, Math.round((percent * share) / total));
    left -= part;
    return [name, part];
  });
  return Object.fromEntries(parts.filter(([, part]) => part > 0));
}

/** A split in words: `flowpilot-opa-a3f9d2c 90 %, flowpilot-opa-bootstrap 10 %`. */
export function describeSplit(split: Split): string {
  const entries = Object.entries(split).sort(([, x], [, y]) => y - x);
  return entries.length === 0 ? "nothing" : entries.map(([name, percent]) => `${name} ${percent} %`).join(", ");
}
