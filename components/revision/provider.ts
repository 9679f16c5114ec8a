import type { dynamic } from "@pulumi/pulumi";
import type { Revision, RevisionTemplate, Service, TrafficTarget } from "../cloudrun/api.ts";
import { changeService } from "../cloudrun/change.ts";
import { CloudRun, gone, type ServiceChange } from "../cloudrun/client.ts";
import { shortName } from "../cloudrun/names.ts";
import { splitOf, tagsOf, trafficFor, withTag } from "../cloudrun/traffic.ts";
import { UserError } from "../errors.ts";
import type { RevisionSettings } from "../service/settings.ts";
import { policyTemplate, revisionName, tagName } from "../service/template.ts";

export interface Inputs {
  endpoint?: string;
  service: string;
  release: string;
  policyDigest: string;
  image: string;
  settings: RevisionSettings;
}

export interface Outputs extends Inputs {
  revision: string;
  tag: string;
  taggedUrl: string;
  uid: string;
  adopted: boolean;
}

/** Creates the revision, or adopts one of that name, and gives it its tag; in one write, without moving traffic. */
export async function create(inputs: Inputs): Promise<dynamic.CreateResult<Outputs>> {
  const outs = await ensure(inputs);
  return { id: `${inputs.service}/revisions/${outs.revision}`, outs };
}

/** The revision and its tag as they are live; gone when either the revision or the service is. */
export async function read(id: string, props: Outputs): Promise<dynamic.ReadResult<Outputs>> {
  const client = new CloudRun({ endpoint: props.endpoint });
  const [revision, service] = await Promise.all([client.getRevision(id), client.getService(props.service)]);
  if (revision === undefined || service === undefined) return { id: "" };
  const tagged = tagsOf(service)[props.tag] === props.revision;
  return { id, props: { ...props, uid: revision.uid, taggedUrl: tagged ? tagUrl(service, props.tag) : "" } };
}

/** Only a tag that was taken away is a reason to do something: a revision can't be changed. */
export async function diff(_id: string, olds: Outputs, news?: Partial<Inputs>): Promise<dynamic.DiffResult> {
  refuseOtherService(olds.service, news?.service);
  return { changes: olds.taggedUrl === "" };
}

/** @throws UserError when a stack is pointed at another service: what the state holds, and what would be deleted, is the one before. */
export function refuseOtherService(before: string, now: string | undefined): void {
  // Unknown in a preview that would make the service anew.
  if (typeof now !== "string" || now === before) return;
  throw new UserError(
    `this stack's service is ${before}, and the configuration now says ${now}. The project, the service's name and the first region stay what they are: put them back, or make another stack for the other service (\`pulumi stack init\`)`,
  );
}

/** Puts the tag back. */
export async function update(_id: string, _olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult<Outputs>> {
  return { outs: await ensure(news) };
}

async function ensure(inputs: Inputs): Promise<Outputs> {
  const client = new CloudRun({ endpoint: inputs.endpoint });
  const revision = revisionName(shortName(inputs.service), inputs.release);
  const tag = tagName(inputs.release);
  const name = `${inputs.service}/revisions/${revision}`;
  const existing = await client.getRevision(name);
  if (existing !== undefined) refuseUnusable(existing, inputs);
  console.log(existing === undefined ? `starting ${revision} without traffic` : `${revision} exists, nothing to build`);
  if (existing === undefined) loadAhead();
  const service = await changeService(client, inputs.service, (live) =>
    planRevision(live, existing, { ...inputs, revision, tag }),
  );
  const taggedUrl = tagUrl(service, tag);
  if (taggedUrl === "") throw gone(`${inputs.service} tag ${tag}`);
  const { uid } = existing ?? (await client.getRevision(name)) ?? {};
  if (uid === undefined) throw gone(name);
  return { ...inputs, revision, tag, taggedUrl, uid, adopted: existing !== undefined };
}

/** While the revision starts, what will test it is loaded. What can't be loaded is reported where it is used. */
function loadAhead(): void {
  void Promise.allSettled([
    import("../gate/judge.ts"),
    import("../diff/release.ts"),
    import("../drill/drill.ts"),
    import("../canary/test.ts"),
  ]);
}

/** What to write so that the revision is there and has its tag; undefined when it is and has. The shares of the traffic stay where they are. */
export function planRevision(
  live: Service,
  existing: Revision | undefined,
  args: Inputs & { revision: string; tag: string },
): ServiceChange | undefined {
  const tagged = tagsOf(live)[args.tag] === args.revision;
  // Without the revision this is true only of our own write whose reply was lost: it gave the tag with the template.
  const created = existing !== undefined || (tagged && shortName(live.latestCreatedRevision ?? "") === args.revision);
  if (tagged && created) return undefined;
  if (created) return { traffic: withTag(live.traffic, args.tag, args.revision) };
  return { template: newTemplate(live, args), traffic: withTag(pinned(live), args.tag, args.revision) };
}

/** A template that the service has already makes no revision, so that of one which was deleted since has to differ in something. */
function newTemplate(live: Service, args: Inputs & { revision: string }): RevisionTemplate {
  const template = policyTemplate(args);
  if (live.template?.revision !== args.revision) return template;
  return {
    ...template,
    annotations: { ...template.annotations, "flowpilot.dev/made-again-at": new Date().toISOString() },
  };
}

/**
 * The traffic with every share on the revision that has it now. A share that follows the newest revision (the console and `gcloud run deploy` set that) would go
 * to the one that is made here as soon as it is ready, untested.
 */
function pinned(live: Service): TrafficTarget[] {
  const split = splitOf(live);
  if (Object.keys(split).length > 0) return trafficFor(split, live.traffic ?? []);
  throw new UserError(
    `no revision of ${shortName(live.name)} is ready, and its traffic goes to the newest: a release would get all of it untested. Give it to a revision that is ready (\`gcloud run services update-traffic ${shortName(live.name)} --to-revisions=REVISION=100\`), or delete the service, and run \`pulumi up\` again`,
  );
}

/**
 * A revision of that name can be another commit's, since two can share their first seven digits: the policies tell them apart. Or it never
 * became ready, and then it can't be started again under its name.
 */
export function refuseUnusable(
  existing: Revision,
  { policyDigest, release }: Pick<Inputs, "policyDigest" | "release">,
): void {
  const name = shortName(existing.name);
  const found = existing.annotations?.["flowpilot.dev/policy-digest"];
  if (found !== undefined && found !== policyDigest) {
    throw new UserError(
      `revision ${name} exists with other policies (digest ${found}, the commit's is ${policyDigest}): another commit that starts with ${release} was deployed under this name. Make a new commit and deploy that`,
    );
  }
  const failed = existing.conditions?.find(({ type, state }) => type === "Ready" && state === "CONDITION_FAILED");
  if (failed === undefined) return;
  throw new UserError(
    `revision ${name} exists and isn't ready: ${failed.message ?? failed.reason ?? "no reason given"}. Delete it (\`gcloud run revisions delete ${name}\`) and run \`pulumi up\` again, or deploy another commit`,
  );
}

function tagUrl(service: Service, tag: string): string {
  return service.trafficStatuses?.find((status) => status.tag === tag)?.uri ?? "";
}
