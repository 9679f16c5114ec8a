import { writeFile } from "node:fs/promises";
import type { AuditOptions } from "../cli.ts";
import type { OpenedStack } from "../open.ts";
import { gatherReport } from "../report/gather.ts";
import { commitLinks } from "../report/links.ts";
import { renderReport } from "../report/page.ts";
import { CHAIN } from "../report/words.ts";

/** Writes the report as one file. */
export async function html(opened: OpenedStack, options: AuditOptions): Promise<void> {
  const model = await gatherReport(opened, options, await commitLinks(opened));
  await writeFile(options.html as string, renderReport(model));
  const { verification, releases, events } = model;
  const chain = CHAIN[verification.verdict].text;
  console.log(`${options.html}: ${events.length} events, ${releases.length} releases, chain ${chain}`);
}
