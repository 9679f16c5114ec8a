import { presentService } from "../core/status.ts";
import type { State } from "../model.ts";
import type { Slot } from "../runtime/slot.ts";

/** What every revision is doing and has answered since this daemon began, for a console. Counters start at 0 with the daemon. */
export function stats(state: State, supervisor: { slot(revision: string): Slot | undefined }, frontPort: number) {
  return {
    services: Object.values(state.services).map((stored) => {
      const { name, uri, trafficStatuses, terminalCondition, reconciling } = presentService(stored, frontPort);
      return {
        name,
        uri,
        reconciling,
        terminalCondition,
        traffic: trafficStatuses,
        revisions: Object.values(stored.revisions).map(({ revision }) =>
          revisionStats(revision.name, supervisor.slot(revision.name)),
        ),
      };
    }),
  };
}

function revisionStats(name: string, slot: Slot | undefined) {
  return {
    name,
    role: slot?.role ?? "idle",
    container: slot?.upstream !== undefined ? "ready" : slot?.starting !== undefined ? "starting" : "stopped",
    containerId: slot?.containerId,
    inFlight: slot?.inFlight ?? 0,
    requests: slot?.counters.requests ?? 0,
    responses: slot?.counters.byClass,
  };
}
