import { compareIntent, type Finding } from "../../components/alerts/intent.ts";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { serviceFullName } from "../../components/cloudrun/names.ts";
import { describeSplit, type Split, splitOf } from "../../components/cloudrun/traffic.ts";
import { type Release, resolveRelease } from "../../components/commit/release.ts";
import type { Config } from "../../components/config.ts";
import { UserError } from "../../components/errors.ts";
import { announce } from "../../components/notify/announce.ts";
import type { NotifyConfig } from "../../components/notify/destinations.ts";
import { subjectOf } from "../../components/notify/subject.ts";
import { quarantineOf } from "../../components/rollout/markers.ts";
import { bootstrapRevision } from "../../components/service/template.ts";
import { readStackConfig, readStackState, type StackName, type StateResource } from "../governance/stack.ts";

/** What was found in one region. */
export interface Looked {
  /** projects/P/locations/L/services/S */
  place: string;
  serving: string;
  findings: Finding[];
  config: Config;
  release: Release;
  notify?: NotifyConfig;
}

/** Looks at every region of a stack. @throws UserError when something can't be read: then nothing can be told */
export async function look(name: StackName, graceMs: number): Promise<Looked[]> {
  const config = await readStackConfig(name);
  const [release, state] = await Promise.all([resolveRelease(config), readStackState(name)]);
  const client = new CloudRun({ endpoint: config.endpoint });
  const known = new Set([bootstrapRevision(config.serviceName), ...knownRevisions(state)]);
  const secrets = (["slackWebhook", "webhook", "webhookSecret"] as const).filter((key) => config[key] !== undefined);
  return Promise.all(
    config.regions.map(async (region) => {
      const place = serviceFullName({ ...config, region });
      const service = await client.getService(place);
      if (service === undefined) throw new UserError(`${place} doesn't exist; deploy it with \`pulumi up\` first`);
      const live = splitOf(service);
      const findings = compareIntent({
        release: release.hash,
        revision: `${config.serviceName}-${release.hash}`,
        committedAt: Date.parse(release.committedAt),
        now: Date.now(),
        graceMs,
        live,
        known,
        reason: reasonOf(release.hash, state, quarantineOf(service)[release.hash]),
      });
      const notify = secrets.length === 0 ? undefined : { stack: name.stack, secrets };
      return { place, serving: describeSplit(live), findings, config, release, notify };
    }),
  );
}

/** Revisions that an update has deployed, or seen to serve. */
function knownRevisions(state: StateResource[]): string[] {
  return state.flatMap(({ type, outputs }) => {
    if (type.endsWith(":PolicyRevision")) return [String(outputs.revision ?? "")];
    if (!type.endsWith(":TrafficSplit")) return [];
    return [...Object.keys((outputs.live ?? {}) as Split), ...Object.keys((outputs.baseline ?? {}) as Split)];
  });
}

function reasonOf(hash: string, state: StateResource[], quarantined: { at: string; reason: string } | undefined) {
  if (quarantined !== undefined) return `it was rolled back at ${quarantined.at}: ${quarantined.reason}`;
  const approval = state.find(({ type }) => type.endsWith(":Approval"))?.outputs;
  if (approval?.release !== hash || approval.status === "APPROVED") return undefined;
  return `${approval.status}: ${approval.summary}`;
}

/** Tells what was found, by the ways that a deployment has. Nothing is told when nothing was found. */
export async function announceFindings(seen: Looked[]): Promise<void> {
  for (const { place, findings, config, release, notify } of seen) {
    if (findings.length === 0) continue;
    const subject = subjectOf({ service: place, release: release.hash, policyDigest: "" });
    const [first, ...others] = findings.map(({ message }) => message);
    const event = { ...subject, kind: "drift" as const, summary: first ?? "", reasons: others, upgrade: false };
    await announce(event, { endpoint: config.endpoint, notify });
  }
}
