import type * as pulumi from "@pulumi/pulumi";
import type { Service } from "../cloudrun/api.ts";
import { CloudRun } from "../cloudrun/client.ts";
import { shortName } from "../cloudrun/names.ts";
import { describeSplit, type Split, sameSplit, splitOf } from "../cloudrun/traffic.ts";
import { UserError } from "../errors.ts";

/** What the state of a gcp.cloudrunv2.Service holds of its traffic. */
interface StateTraffic {
  /** "" or absent for the share that follows the newest revision. */
  revision?: string;
  percent?: number;
}

/**
 * Before the service is updated: the provider sends the template and the split that *state* holds, without an etag, so with a stale state
 * it would undo whatever was done since. @throws UserError when state and live differ.
 */
export async function refuseStaleWrite(args: pulumi.ResourceHookArgs, endpoint: string | undefined): Promise<void> {
  const live = await new CloudRun({ endpoint }).getService(args.id as string);
  if (live !== undefined)
    refuseIfStale(args.oldOutputs as { traffics?: StateTraffic[]; template?: { revision?: string } }, live);
}

/** The pure part of refuseStaleWrite. */
export function refuseIfStale(
  state: { traffics?: StateTraffic[]; template?: { revision?: string } },
  live: Pick<Service, "name" | "traffic" | "template" | "latestReadyRevision">,
): void {
  const held: Split = {};
  for (const { revision: named, percent } of state.traffics ?? []) {
    const revision = named || (live.latestReadyRevision && shortName(live.latestReadyRevision));
    if (revision !== undefined && (percent ?? 0) > 0) held[revision] = (held[revision] ?? 0) + (percent ?? 0);
  }
  const serving = splitOf(live);
  const sameTemplate = (state.template?.revision ?? "") === (live.template.revision ?? "");
  if (sameSplit(held, serving) && sameTemplate) return;
  throw new UserError(
    `the service ${shortName(live.name)} is not updated: the state is older than what is live (state: ${describeSplit(held)}, template ${state.template?.revision ?? "none"}; live: ${describeSplit(serving)}, template ${live.template.revision ?? "none"}), and the update would bring the old one back. Run \`pulumi refresh\`, then \`pulumi up\` without --refresh=false`,
  );
}
