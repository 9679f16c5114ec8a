import { formatTime } from "../format/text.ts";
import type { Dora } from "./dora.ts";

/** A figure, its value in words, and how it is counted. */
export interface Figure {
  name: string;
  value: string;
  how: string;
}

/** The four figures in words. */
export function describeDora(figures: Dora): Figure[] {
  const { deployments, failures, frequency, leadTime, changeFailureRate, timeToRestore } = figures;
  const none = "nothing to count";
  return [
    {
      name: "Deployment frequency",
      value: frequency === undefined ? none : describeFrequency(frequency),
      how: `${deployments} release${deployments === 1 ? "" : "s"} had traffic`,
    },
    {
      name: "Lead time for changes",
      value: leadTime === undefined ? none : describeSpan(leadTime),
      how: "median, from commit to the end of its deployment",
    },
    {
      name: "Change failure rate",
      value: changeFailureRate === undefined ? none : `${(changeFailureRate * 100).toFixed(1)} %`,
      how: `${failures} of ${deployments} were rolled back, by a gate or by hand`,
    },
    {
      name: "Time to restore",
      value: timeToRestore === undefined ? none : describeSpan(timeToRestore),
      how: "median, from the failing release's first traffic to its last",
    },
  ];
}

/** `2026-01-01T00:00:00Z to 2026-01-31T00:00:00Z` */
export function describePeriod({ from, to }: Dora): string {
  return `${formatTime(from)} to ${formatTime(to)}`;
}

function describeFrequency(perDay: number): string {
  if (perDay >= 1) return `${perDay.toFixed(1)} a day`;
  return perDay >= 1 / 7 ? `${(perDay * 7).toFixed(1)} a week` : `${(perDay * 30).toFixed(1)} a month`;
}

/** A span in its two largest units: `1 h 5 min`, `380 ms`. */
export function describeSpan(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days ${hours % 24} h`;
}
