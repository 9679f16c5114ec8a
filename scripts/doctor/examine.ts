import { messageOf } from "../../components/errors.ts";
import { type Check, type Finding, type Surroundings, skipped } from "./check.ts";
import { apis } from "./checks/apis.ts";
import { clock } from "./checks/clock.ts";
import { credentials } from "./checks/credentials.ts";
import { permissions } from "./checks/permissions.ts";
import { registry } from "./checks/registry.ts";
import { service } from "./checks/service.ts";
import { state } from "./checks/state.ts";
import { tools } from "./checks/tools.ts";

export const CHECKS: Check[] = [tools, credentials, clock, apis, permissions, state, registry, service];

/** What one check found. */
export interface Examined {
  name: string;
  findings: Finding[];
}

/** Runs all checks that apply, each for itself: one that breaks is no reason not to see the others. In the order of CHECKS. */
export async function examine(surroundings: Surroundings, checks = CHECKS): Promise<Examined[]> {
  const applying = checks.filter(({ cloud }) => surroundings.config.platform || !cloud);
  // Without credentials every look at the cloud would say the same.
  const first = await Promise.all(
    applying.map(async (check) => ({ check, findings: await early(check, surroundings) })),
  );
  const barred = first.some(({ check, findings }) => check === credentials && findings?.[0]?.status === "problem");
  return Promise.all(
    first.map(async ({ check, findings }) => ({
      name: check.name,
      findings: findings ?? (barred && check.cloud ? [skipped("needs credentials")] : await look(check, surroundings)),
    })),
  );
}

async function early(check: Check, surroundings: Surroundings): Promise<Finding[] | undefined> {
  return check === credentials ? look(check, surroundings) : undefined;
}

async function look(check: Check, surroundings: Surroundings): Promise<Finding[]> {
  try {
    return await check.look(surroundings);
  } catch (error) {
    return [{ status: "problem", found: messageOf(error), fix: "see above; the check itself could not be done" }];
  }
}

const MARKS = { ok: "ok  ", note: "note", problem: "FAIL", skipped: "skip" } as const;

/** The findings as lines for a terminal. */
export function formatExamined(examined: Examined[]): string {
  const width = Math.max(...examined.map(({ name }) => name.length));
  return examined
    .flatMap(({ name, findings }) =>
      findings.flatMap(({ status, found, fix }, index) => [
        `${MARKS[status]}  ${(index === 0 ? name : "").padEnd(width)}  ${found}`,
        ...(fix === undefined ? [] : [`${" ".repeat(width + 8)}-> ${fix}`]),
      ]),
    )
    .join("\n");
}

export function countProblems(examined: Examined[]): number {
  return examined.flatMap(({ findings }) => findings).filter(({ status }) => status === "problem").length;
}
