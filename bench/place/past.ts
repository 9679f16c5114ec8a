import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import Docker from "dockerode";
import { type EntryFiles, fold, GENESIS, type Head, leafOf } from "../../components/audit/chain.ts";
import { recordedHeadOf, sealHead } from "../../components/audit/head-annotation.ts";
import { AUDIT_TYPE, type ChainRecord, makeRecord, recordOf } from "../../components/audit/record.ts";
import { create as createRevision, type Inputs as RevisionInputs } from "../../components/revision/provider.ts";
import { addProven } from "../../components/rollout/proven.ts";
import { type BenchProject, SERVICE } from "./project.ts";
import { withConsole } from "./quiet.ts";

const HOUR_MS = 3_600_000;
/** How many releases keep their revision: the configuration's default. */
const RETAINED = 50;

/**
 * Gives a project that was deployed once a past of `count` more deployments, an hour apart, without making them: a commit each; an entry of Pulumi's history
 * each, which is the real one's with other names and times and its own record in the audit's chain; for those that would be retained a real revision; on
 * the service the marks of the releases that passed; and the image under each release's name. The real deployment stays the newest.
 */
export async function givePast(project: BenchProject, count: number, signal: AbortSignal): Promise<void> {
  const real = (await project.test.outputs()).version as string;
  const state = await project.test.state();
  const releases: string[] = [];
  for (let made = 0; made < count; made++) {
    signal.throwIfAborted();
    releases.push(await project.commit());
  }
  const head = await writeHistory(project, real, releases);
  const revision = state.find(({ type }) => type.endsWith(":PolicyRevision"))?.outputs as unknown as RevisionInputs;
  const { endpoint, service, policyDigest, image, settings } = revision;
  for (const release of releases.slice(-RETAINED)) {
    signal.throwIfAborted();
    await withConsole(
      () => undefined,
      () => createRevision({ endpoint, service, policyDigest, image, settings, release }),
    );
  }
  await markService(project, [...releases, real], head);
  const engine = new Docker();
  for (const release of releases) await engine.getImage(image).tag({ repo: project.test.images, tag: release });
}

/** Writes the history anew: the made-up entries, then the real one, whose record goes on from theirs. @returns the chain before the real one */
async function writeHistory(project: BenchProject, real: string, releases: string[]): Promise<Head> {
  const root = path.join(project.test.directory, "state/.pulumi");
  const folder = path.join(root, "history/flowpilot-policy/test");
  const newest = (await readdir(folder))
    .filter((name) => name.endsWith(".history.json"))
    .sort()
    .at(-1) as string;
  const realKey = /-(\d+)\./.exec(newest)?.[1] as string;
  const texts = {
    history: await readFile(path.join(folder, newest), "utf8"),
    checkpoint: await readFile(path.join(folder, `test-${realKey}.checkpoint.json`), "utf8"),
  };
  const attributes = JSON.parse(await readFile(path.join(folder, `${newest}.attrs`), "utf8")) as object;
  const write = async (file: string, content: Buffer) => {
    await writeFile(file, content);
    const md5 = createHash("md5").update(content).digest("base64");
    await writeFile(`${file}.attrs`, JSON.stringify({ ...attributes, md5 }));
  };
  const own = recordOf(Buffer.from(texts.checkpoint));
  if (own === undefined) throw new Error("the deployment's checkpoint holds no audit record");
  let head = GENESIS;
  let before: EntryFiles | undefined;
  for (const [index, release] of [...releases, real].entries()) {
    const agoMs = (releases.length - index) * HOUR_MS;
    const key = String(BigInt(realKey) - BigInt(agoMs) * 1_000_000n);
    const leaves = before === undefined ? [] : [leafOf(before)];
    head = leaves.reduce(fold, head);
    const startedAt = new Date(Date.parse(own.startedAt) - agoMs).toISOString();
    // The service names the real one's record.
    const record = makeRecord({ head, entries: leaves }, release === real ? own.id : randomUUID(), startedAt);
    const entry: EntryFiles = {
      key,
      history: Buffer.from(JSON.stringify(moved(JSON.parse(texts.history.replaceAll(real, release)), agoMs))),
      checkpoint: Buffer.from(withRecord(texts.checkpoint.replaceAll(real, release), own.id, record)),
    };
    await write(path.join(folder, `test-${key}.history.json`), entry.history);
    await write(path.join(folder, `test-${key}.checkpoint.json`), entry.checkpoint as Buffer);
    before = entry;
  }
  await write(path.join(root, "stacks/flowpilot-policy/test.json"), before?.checkpoint as Buffer);
  return head;
}

/** A history entry of another time. */
function moved(entry: { startTime: number; endTime: number }, agoMs: number): object {
  const ago = agoMs / 1000;
  return { ...entry, startTime: entry.startTime - ago, endTime: entry.endTime - ago };
}

/** A checkpoint with another record of the history before it; whatever names the record's id, names the other one's. */
function withRecord(text: string, id: string, record: ChainRecord): string {
  const parsed = JSON.parse(text.replaceAll(id, record.id));
  const { resources } = parsed.checkpoint.latest as { resources: { type: string; outputs?: object }[] };
  for (const { type, outputs } of resources) if (type === AUDIT_TYPE) Object.assign(outputs ?? {}, record);
  return JSON.stringify(parsed);
}

/** The service's marks: which releases have passed, and how far the history went when the real one began. */
async function markService(project: BenchProject, releases: string[], head: Head): Promise<void> {
  const live = await project.client.getService(SERVICE);
  const recorded = recordedHeadOf(live?.annotations);
  if (live === undefined || recorded === undefined) throw new Error(`${SERVICE} doesn't say how far the history went`);
  const proven = releases.reduce(addProven, live.annotations ?? {});
  await project.client.patchService(live, { annotations: sealHead(proven, { ...recorded, ...head }) });
}
