import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile } from "node:fs/promises";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";

const root = path.resolve(import.meta.dirname, "../..");

/** One thing that was checked: how it ended, and what it said. */
export interface Section {
  title: string;
  /** Exit code; null when it couldn't run. */
  code: number | null;
  output: string;
}

/** Runs a command of this project in its directory and keeps what it says. */
export async function runSection(title: string, program: string, parameters: string[]): Promise<Section> {
  const child = spawn(program, parameters, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      process.stderr.write(text);
    });
  }
  const failed = new Promise<null>((resolve) => {
    child.on("error", (error) => {
      output += error.message;
      resolve(null);
    });
  });
  const closed = once(child, "close").then(([code]) => code as number | null);
  return { title, code: await Promise.race([closed, failed]), output };
}

/** A comment on GitHub takes 65,536 characters; what several jobs have to say has to fit. */
const SECTION_LIMIT = 12_000;

/** A section as Markdown: a line that says how it went, and the output, folded. */
export function formatSection({ title, code, output }: Section): string {
  const state = code === 0 ? "passed" : code === null ? "could not run" : `failed (exit code ${code})`;
  const text = clean(output);
  const shown = text.length <= SECTION_LIMIT ? text : `… (the beginning is left out)\n${text.slice(-SECTION_LIMIT)}`;
  const fence = fenceFor(shown);
  const body = shown === "" ? "No output." : `${fence}\n${shown}\n${fence}`;
  return `<details${code === 0 ? "" : " open"}><summary><b>${title}</b>: ${state}</summary>\n\n${body}\n\n</details>`;
}

/** Without the escapes of a terminal. */
function clean(text: string): string {
  return stripVTControlCharacters(text).replaceAll("\r", "").trim();
}

/** Longer than any fence inside, so that no output ends it and becomes Markdown. */
function fenceFor(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  return "`".repeat(longest + 1);
}

/** Prints a report, and hands it to the next job where this runs in GitHub Actions (the file formats of GITHUB_OUTPUT and GITHUB_STEP_SUMMARY). */
export async function publishReport(sections: Section[], environment: NodeJS.ProcessEnv = process.env): Promise<void> {
  const report = sections.map(formatSection).join("\n\n");
  console.log(report);
  const { GITHUB_OUTPUT, GITHUB_STEP_SUMMARY } = environment;
  if (GITHUB_STEP_SUMMARY !== undefined) await appendFile(GITHUB_STEP_SUMMARY, `${report}\n`);
  if (GITHUB_OUTPUT === undefined) return;
  // Nobody can know this line, so nothing in the report ends the value.
  const end = `end-${crypto.randomUUID()}`;
  await appendFile(GITHUB_OUTPUT, `report<<${end}\n${report}\n${end}\n`);
}
