import type { AuditOptions } from "../cli.ts";
import { eventsOf } from "../events.ts";
import type { EntryFacts } from "../facts.ts";
import { visibleJson } from "../format/visible.ts";
import type { OpenedStack } from "../open.ts";
import { readEntries } from "../read.ts";
import { Deployments } from "../stats/deployment.ts";
import { describeDora, describePeriod } from "../stats/describe.ts";
import { dora } from "../stats/dora.ts";

/** Prints the four DORA figures over the period that is asked for; by default from the first entry to now. */
export async function stats({ source }: OpenedStack, { since, until, json }: AuditOptions): Promise<void> {
  const deployments = new Deployments();
  let previous: EntryFacts | undefined;
  let first: number | undefined;
  for await (const entry of readEntries(source, (await source.list()).keys)) {
    first ??= entry.startedAt;
    deployments.add(entry, previous, eventsOf(entry, previous));
    previous = entry;
  }
  const to = until ?? Date.now();
  const figures = dora(deployments.all, since ?? first ?? to, to);
  if (json) {
    console.log(
      visibleJson({ ...figures, from: new Date(figures.from).toISOString(), to: new Date(to).toISOString() }),
    );
    return;
  }
  const rows = describeDora(figures);
  const [name, value] = [
    Math.max(...rows.map((row) => row.name.length)),
    Math.max(...rows.map((row) => row.value.length)),
  ];
  console.log(describePeriod(figures));
  for (const row of rows) console.log(`${row.name.padEnd(name)}  ${row.value.padStart(value)}  (${row.how})`);
}
