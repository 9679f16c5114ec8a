import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type RecordedHead, sealHead } from "../../components/audit/head-annotation.ts";
import type { AuditOptions } from "../cli.ts";
import type { OpenedStack } from "../open.ts";
import { runVerification, type Verification } from "../verify/run.ts";
import { tagPrefix } from "../verify/tags.ts";

const run = promisify(execFile);

/**
 * Writes the head of the chain, the newest entry included, where the history's owner can't reach it unseen: to the service's annotations, or to a signed
 * git tag. A history with problems isn't sealed. @throws an Error that says what is missing
 */
export async function seal(opened: OpenedStack, { seal: toService, sign }: AuditOptions): Promise<void> {
  const found = await runVerification(opened);
  const [problem] = found.problems;
  if (problem !== undefined) throw new Error(`not sealed, for the history isn't verified: ${problem.message}`);
  if (found.entries === 0) throw new Error(`not sealed, for the history of ${opened.stack} is empty`);
  const head: RecordedHead = {
    audit: "",
    after: found.after,
    count: found.entries,
    head: found.head,
    release: "",
    ended: "sealed",
  };
  if (toService) await sealServices(found.place, head);
  if (sign) await signTag(opened, head);
}

async function sealServices({ services, endpoint }: Verification["place"], head: RecordedHead): Promise<void> {
  if (services.length === 0) throw new Error("not sealed: the state names no service; use --sign, or deploy first");
  const { CloudRun } = await import("../../components/cloudrun/client.ts");
  const { changeService } = await import("../../components/cloudrun/change.ts");
  const client = new CloudRun({ endpoint });
  for (const service of services) {
    await changeService(client, service, (live) => {
      const annotations = sealHead(live.annotations ?? {}, head);
      return annotations === undefined ? undefined : { annotations };
    });
    console.log(`sealed on ${service}: ${head.count} entries, head ${head.head}`);
  }
}

async function signTag({ directory, project, stack }: OpenedStack, head: RecordedHead): Promise<void> {
  const tag = `${tagPrefix(project, stack)}${head.count}`;
  const subject = `History of ${project}/${stack}: ${head.count} entries`;
  await run("git", ["-C", directory, "tag", "--sign", "--message", subject, "--message", JSON.stringify(head), tag]);
  console.log(`signed tag ${tag}: head ${head.head}; push it with \`git push origin ${tag}\``);
}
