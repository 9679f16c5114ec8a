import { once } from "node:events";
import type { AuditOptions } from "../cli.ts";
import type { AuditEvent } from "../events.ts";
import { formatLine } from "../format/text.ts";
import { eventsSince } from "../now.ts";
import { missingStack, type OpenedStack } from "../open.ts";
import { isSelected, selectEvents } from "../select.ts";

/** Prints the events: as a table where a person reads, as plain lines in a pipe, or in the format that is asked for. */
export async function list(opened: OpenedStack, options: AuditOptions): Promise<void> {
  const { source, stack, project } = opened;
  const unfinished = eventsSince(source);
  unfinished.catch(() => undefined);
  const format = await chooseFormat(options);
  let any = false;
  const print = async (events: AuditEvent[]) => {
    any ||= events.length > 0;
    const text = format(events);
    if (text !== "" && !process.stdout.write(text)) await once(process.stdout, "drain");
  };
  for await (const events of selectEvents(source, options)) await print(events);
  await print((await unfinished).filter((event) => isSelected(event, options)));
  await print([]);
  if (any) return;
  const missing = await missingStack(opened);
  if (missing !== undefined) throw new Error(missing);
  console.error(`nothing in the history of ${project}/${stack} (${source.description}) ${describeSelection(options)}`);
}

/** Formats events as they come. A table needs all of them, so it comes with the empty list that ends them. */
async function chooseFormat(options: AuditOptions): Promise<(events: AuditEvent[]) => string> {
  if (options.json) {
    const { formatJson } = await import("../format/records.ts");
    return (events) => events.map((event) => `${formatJson(event)}\n`).join("");
  }
  if (options.csv) {
    const { formatCsv } = await import("../format/records.ts");
    let header = true;
    return (events) => {
      if (events.length === 0 && !header) return "";
      const text = formatCsv(events, { header });
      header = false;
      return text;
    };
  }
  if (!process.stdout.isTTY) return (events) => events.map((event) => `${formatLine(event)}\n`).join("");
  const { formatTable } = await import("../format/table.ts");
  const all: AuditEvent[] = [];
  return (events) => {
    all.push(...events);
    return events.length > 0 || all.length === 0
      ? ""
      : `${formatTable(all.splice(0), process.stdout.columns, Date.now())}\n`;
  };
}

function describeSelection({ since, until, rollbacks, release }: AuditOptions): string {
  const asked = since !== undefined || until !== undefined || rollbacks === true || release !== undefined;
  return asked ? "matches" : "yet";
}
