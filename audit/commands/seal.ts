import { execFile } from "node:child_process";
import { isDeepStrictEqual, promisify } from "node:util";
import { type RecordedHead, recordedHeadOf, sealHead } from "../../components/audit/head-annotation.ts";
import type { AuditOptions } from "../cli.ts";
import type { OpenedStack } from "../open.ts";
import type { LiveHead } from "../verify/live.ts";
import { runVerification, type Verification } from "../verify/run.ts";
import { tagPrefix } from "../verify/tags.ts";

const run = promisify(execFile);

/**
 * Writes the head of the chain, the newest entry included, where the history's owner can't reach it unseen: to the service's annotations, or to a signed
 * git tag. A history that isn't verified, or may not be at its end, isn't sealed: a seal takes the place of what the service knows.
 * @throws an Error that says what is missing
 */
export async function seal(opened: OpenedStack, { seal: toService, sign }: AuditOptions): Promise<void> {
  const found = await runVerification(opened);
  const refusal = refuse(found, opened.stack);
  if (refusal !== undefined) throw new Error(refusal);
  const head: RecordedHead = {
    audit: "",
    after: found.after,
    count: found.entries,
    head: found.head,
    release: "",
    ended: "sealed",
  };
  if (toService) await sealServices(found.services, head);
  if (sign) await signTag(opened, head);
}

/** Why a history isn't sealed; undefined where it is. */
function refuse({ problems, undecided, unsettled, entries }: Verification, stack: string): string | undefined {
  if (problems[0] !== undefined) return `not sealed, for the history isn't verified: ${problems[0].message}`;
  if (undecided[0] !== undefined) return `not sealed, for the history is undecided: ${undecided[0]}`;
  if (unsettled[0] !== undefined) return `not sealed, for the history may not be at its end: ${unsettled[0]}`;
  return entries === 0 ? `not sealed, for the history of ${stack} is empty` : undefined;
}

/** Seals the stack's own services. Only those that were asked: what one knows has to be compared with the history before it is replaced. */
async function sealServices(services: LiveHead[], head: RecordedHead): Promise<void> {
  const unheard = services.find(({ exists }) => exists === undefined);
  if (unheard !== undefined) throw new Error(`not sealed, for ${unheard.silent}`);
  const there = services.filter(({ exists }) => exists);
  if (there.length === 0) {
    throw new Error(
      "not sealed: the state names no service, and the configuration none that exists; use --sign, or deploy first",
    );
  }
  for (const { service, endpoint, head: heard } of there) {
    await sealService({ service, endpoint, heard }, head);
    console.log(`sealed on ${service}: ${head.count} entries, head ${head.head}`);
  }
}

/** @param heard what the history was compared with */
async function sealService(
  { service, endpoint, heard }: { service: string; endpoint?: string; heard?: RecordedHead },
  head: RecordedHead,
): Promise<void> {
  const { CloudRun } = await import("../../components/cloudrun/client.ts");
  const { changeService } = await import("../../components/cloudrun/change.ts");
  await changeService(new CloudRun({ endpoint }), service, (live) => {
    const annotations = sealHead(live.annotations ?? {}, head);
    // It is there already, perhaps by a write whose reply was lost.
    if (annotations === undefined) return undefined;
    if (isDeepStrictEqual(recordedHeadOf(live.annotations), heard)) return { annotations };
    throw new Error(`not sealed, for ${service} says something else by now: an update has ended meanwhile; seal again`);
  });
}

async function signTag({ directory, project, stack }: OpenedStack, head: RecordedHead): Promise<void> {
  const tag = `${tagPrefix(project, stack)}${head.count}`;
  const subject = `History of ${project}/${stack}: ${head.count} entries`;
  await run("git", ["-C", directory, "tag", "--sign", "--message", subject, "--message", JSON.stringify(head), tag]);
  console.log(`signed tag ${tag}: head ${head.head}; push it with \`git push origin ${tag}\``);
}
