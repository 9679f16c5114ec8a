import { revisionState } from "../core/status.ts";
import type { State, StoredService } from "../model.ts";
import { shortName } from "../names.ts";
import type { Planned } from "../runtime/supervisor.ts";

/** What every revision's container is for, as the splits in force say. Pure. */
export function planContainers(state: State): Planned[] {
  return Object.values(state.services).flatMap((stored) =>
    Object.entries(stored.revisions).map(([name, entry]) => ({
      service: stored.service.name,
      revision: entry.revision.name,
      template: entry.template,
      role: roleOf(stored, name),
    })),
  );
}

function roleOf(stored: StoredService, revision: string): Planned["role"] {
  const targets = stored.serving.filter((target) => target.revision === revision);
  if (targets.some((target) => (target.percent ?? 0) > 0)) return "serving";
  return targets.length > 0 ? "on-demand" : "idle";
}

/** The newest revision that ever got ready, but for `except`. */
export function newestReady(stored: StoredService, except: string): string | undefined {
  const ready = Object.entries(stored.revisions)
    .filter(([name]) => name !== except && revisionState(stored, name) === "ready")
    .sort(([, a], [, b]) => b.revision.createTime.localeCompare(a.revision.createTime));
  return ready[0]?.[1].revision.name;
}

/** Why a revision can't be deleted, or undefined. What was asked for counts as well as what is in force. */
export function deletionProblem(stored: StoredService, revision: string): string | undefined {
  const isLatest = shortName(stored.service.latestReadyRevision ?? "") === revision;
  const asked = [...stored.service.traffic, ...stored.serving].some(
    (target) => target.revision === revision || (target.revision === undefined && isLatest),
  );
  if (!asked) return undefined;
  return `Revision '${revision}' can't be deleted because it is receiving traffic or has a traffic tag. Move its traffic and remove its tags first.`;
}
