import { stats } from "../admin/stats.ts";
import type { State, StoredOperation } from "../model.ts";
import type { Slot } from "../runtime/slot.ts";

/** More than fit on a screen; the store forgets old ones by itself. */
const OPERATIONS = 25;

/** What the console shows, read anew for each request. */
export function consoleData(
  state: State,
  supervisor: { slot(revision: string): Slot | undefined },
  frontPort: number,
  now: Date,
) {
  return {
    at: now.toISOString(),
    ...stats(state, supervisor, frontPort),
    operations: Object.values(state.operations)
      .toSorted((a, b) => (a.createTime < b.createTime ? 1 : -1))
      .slice(0, OPERATIONS)
      .map(describeOperation),
  };
}

function describeOperation({ operation, kind, service, revision, traffic, createTime, generation }: StoredOperation) {
  return {
    name: operation.name,
    kind,
    service,
    generation,
    revision: revision ?? "",
    traffic: traffic
      .filter(({ percent }) => (percent ?? 0) > 0)
      .map(({ type, revision: target, percent }) => `${type.endsWith("LATEST") ? "latest" : target} ${percent} %`)
      .join(", "),
    createTime,
    state: operation.done !== true ? "running" : operation.error === undefined ? "done" : "failed",
    error: operation.error?.message ?? "",
  };
}
