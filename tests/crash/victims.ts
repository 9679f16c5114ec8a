import { readdirSync, readFileSync } from "node:fs";

/** What can die during a deployment. */
export const VICTIMS = ["engine", "provider", "cloud", "container"] as const;
export type Victim = (typeof VICTIMS)[number];

/** A process, as /proc shows it. */
interface Process {
  pid: number;
  parent: number;
  command: string;
}

/** The process of the dynamic providers that belongs to a pulumi, or undefined when there is none (yet). */
export function dynamicProviderOf(engine: number): number | undefined {
  const all = processes();
  const children = new Set([engine]);
  // Launchers may stand between: whatever descends from the engine counts.
  for (let found = true; found; ) {
    found = false;
    for (const { pid, parent } of all) {
      if (children.has(parent) && !children.has(pid)) {
        children.add(pid);
        found = true;
      }
    }
  }
  return all.find(({ pid, command }) => children.has(pid) && command.includes("dynamic-provider"))?.pid;
}

function processes(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        // The command's name may hold spaces and parentheses; what follows the last one has fixed places.
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
        return [{ pid: Number(name), parent, command }];
      } catch {
        // It has ended between the two.
        return [];
      }
    });
}
