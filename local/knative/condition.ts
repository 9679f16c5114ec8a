import type { Condition } from "../../components/cloudrun/api.ts";

/** A condition of the Knative API. */
export interface KnativeCondition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

const STATUS = {
  CONDITION_SUCCEEDED: "True",
  CONDITION_FAILED: "False",
  CONDITION_RECONCILING: "Unknown",
  CONDITION_PENDING: "Unknown",
} as const;

/** A condition of the Admin API v2 as the Knative API shows it. Pure. */
export function toKnativeCondition(condition: Condition): KnativeCondition {
  const { type, state, reason, message, lastTransitionTime } = condition;
  return {
    type,
    status: STATUS[state],
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
    ...(lastTransitionTime !== undefined && { lastTransitionTime }),
  };
}
