import type { Deployment } from "./deployment.ts";

/** The four figures of DORA's research on software delivery (dora.dev), over a period. Undefined where there is nothing to count. Times in ms. */
export interface Dora {
  from: number;
  to: number;
  /** Releases that reached production: had traffic. */
  deployments: number;
  /** Of those: rolled back, by a gate or by hand. What failed before it had traffic is none: no user saw it. */
  failures: number;
  /** Deployments a day. */
  frequency: number | undefined;
  /** Median, from the commit to the end of the deployment that proved it. */
  leadTime: number | undefined;
  /** Failures over deployments, 0 to 1. */
  changeFailureRate: number | undefined;
  /** Median, from the failing release's first traffic to its last. */
  timeToRestore: number | undefined;
}

const DAY_MS = 86_400_000;

/** The figures over a period; a deployment belongs to the time at which it got its traffic. */
export function dora(all: Deployment[], from: number, to: number): Dora {
  const inside = all.filter(({ startedAt }) => startedAt >= from && startedAt <= to);
  const failed = inside.filter(({ failedAt }) => failedAt !== undefined);
  const days = Math.max(1, (to - from) / DAY_MS);
  return {
    from,
    to,
    deployments: inside.length,
    failures: failed.length,
    frequency: inside.length === 0 ? undefined : inside.length / days,
    leadTime: median(
      inside.flatMap(({ succeededAt, committedAt }) =>
        succeededAt === undefined || committedAt === undefined ? [] : Math.max(0, succeededAt - committedAt),
      ),
    ),
    changeFailureRate: inside.length === 0 ? undefined : failed.length / inside.length,
    timeToRestore: median(failed.flatMap(({ restoredAfter }) => restoredAfter ?? [])),
  };
}

/** The middle value; the mean of the two in the middle where their number is even. */
export function median(values: number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined || sorted.length % 2 === 1) return upper;
  return ((sorted[middle - 1] as number) + upper) / 2;
}
