import { recordOf } from "../../components/audit/record.ts";
import type { HistorySource } from "../../components/audit/source.ts";
import { sha256 } from "../../components/sha256.ts";
import { deploymentOf, readDeployment } from "../facts.ts";
import type { Item } from "./item.ts";
import { describeDoubt, type Problem } from "./problem.ts";

/** What the back end says besides the entries. */
export interface StateFindings {
  problems: Problem[];
  undecided: string[];
  /** Why the history may not be at its end: an update that is under way, or was killed. */
  unsettled: string[];
  /** Id of an update that hasn't ended. Only what lies beside the history says so, and whoever can delete an entry can write that. */
  unfinished?: string;
}

const LOCKED = "an update is under way, or was killed: the stack is locked";
const INTERRUPTED = "the newest update was interrupted: it left no entry";

/** In a file or bucket the newest checkpoint is a copy of the state, so where they differ, something began and left no entry. */
export async function judgeState(source: HistorySource, newest: Item | undefined): Promise<StateFindings> {
  const [state, locks] = await Promise.all([source.state(), source.locks()]);
  const settled = { problems: [], undecided: [], unsettled: locks.length > 0 ? [LOCKED] : [] };
  if (source.kind === "cloud" || state === undefined) return settled;
  if (newest !== undefined && sha256(state) === newest.content.checkpoint) return settled;
  const { pending, gates } = readDeployment(deploymentOf(state) ?? {});
  const left = recordOf(state)?.id;
  const isNew = left !== undefined && left !== newest?.facts.recordId;
  const hasEnded = hasConclusion(gates, newest);
  if (locks.length > 0 || (isNew && (pending.length > 0 || !hasEnded))) {
    return {
      problems: [],
      undecided: isNew && hasEnded ? [describeDoubt("the state holds the verdict of a gate, given in an update")] : [],
      unsettled: locks.length > 0 ? [LOCKED] : [INTERRUPTED],
      unfinished: isNew ? left : undefined,
    };
  }
  if (newest === undefined && !isNew) return settled;
  const message = isNew
    ? "the state holds the outcome of an update that has no entry: the history was cut off at its end"
    : "the state isn't the one that the newest entry left: entries were removed at the end or the newest was changed, or the state was edited (pulumi state, pulumi stack import) or a refresh was killed";
  return { ...settled, problems: [{ kind: "truncated", key: "", message }] };
}

/** Whether a gate gave a verdict that no entry has. */
function hasConclusion(
  gates: { verdict: string; stage: string; startedAt: string }[],
  newest: Item | undefined,
): boolean {
  return gates.some(({ verdict, stage, startedAt }) => {
    const isLater = newest === undefined || Date.parse(startedAt) > newest.facts.endedAt;
    return isLater && (verdict === "FAILED" || verdict === "OVERTAKEN" || stage === "live");
  });
}
