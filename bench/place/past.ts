import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import Docker from "dockerode";
import { type EntryFiles, fold, GENESIS, keyTime, leafOf } from "../../components/audit/chain.ts";
import { makeRecord, recordOf } from "../../components/audit/record.ts";
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
  await writeHistory(project, real, releases);
  const revision = state.find(({ type }) => type.endsWith(":PolicyRevision"))?.outputs as unknown as RevisionInputs;
  const { endpoint, service, policyDigest, image, settings } = revision;
  for (const release of releases.slice(-RETAINED)) {
    signal.throwIfAborted();
    await withConsole(
      () => undefined,
      () => createRevision({ endpoint, service, policyDigest, image, settings, release }),
    );
  }
  await markProven(project, [...releases, real]);
  const engine = new Docker();
  for (const release of releases) await engine.getImage(image).tag({ repo: project.test.images, tag: release });
}

/** Writes the history anew: the made-up entries, then the real one, whose record goes on from theirs. */
async function writeHistory(project: BenchProject, real: string, releases: string[]): Promise<void> {
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
  let head = GENESIS;
  let before: EntryFiles | undefined;
  for (const [index, release] of [...releases, real].entries()) {
    const agoMs = (releases.length - index) * HOUR_MS;
    const key = String(BigInt(realKey) - BigInt(agoMs) * 1_000_000n);
    const leaves = before === undefined ? [] : [leafOf(before)];
    head = leaves.reduce(fold, head);
    const record = makeRecord({ head, entries: leaves }, randomUUID(), new Date(keyTime(key) - 5_000).toISOString());
    const named = { history: texts.history.replaceAll(real, release), checkpoint: texts.checkpoint };
    const entry: EntryFiles = {
      key,
      history: Buffer.from(JSON.stringify(moved(JSON.parse(named.history), agoMs))),
      checkpoint: Buffer.from(withRecord(named.checkpoint.replaceAll(real, release), record)),
    };
    await write(path.join(folder, `test-${key}.history.json`), entry.history);
    await write(path.join(folder, `test-${key}.checkpoint.json`), entry.checkpoint as Buffer);
    before = entry;
  }
  await write(path.join(root, "stacks/flowpilot-policy/test.json"), before?.checkpoint as Buffer);
}

/** A history entry of another time. */
function moved(entry: { startTime: number; endTime: number }, agoMs: number): object {
  const ago = agoMs / 1000;
  return { ...entry, startTime: entry.startTime - ago, endTime: entry.endTime - ago };
}

/** A checkpoint with another record of the history before it; whatever names the record's id, names the other one's. */
function withRecord(text: string, record: ReturnType<typeof makeRecord>): string {
  const old = recordOf(Buffer.from(text));
  if (old === undefined) throw new Error("the deployment's checkpoint holds no audit record");
  const parsed = JSON.parse(text.replaceAll(old.id, record.id));
  for (const resource of parsed.checkpoint.latest.resources) {
    if (resource.outputs?.format === 1 && resource.outputs.id === record.id) Object.assign(resource.outputs, record);
  }
  return JSON.stringify(parsed);
}

async function markProven(project: BenchProject, releases: string[]): Promise<void> {
  const live = await project.client.getService(SERVICE);
  if (live === undefined) throw new Error(`${SERVICE} does not exist`);
  await project.client.patchService(live, { annotations: releases.reduce(addProven, live.annotations ?? {}) });
}
