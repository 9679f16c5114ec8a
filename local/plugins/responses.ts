import { createRequire } from "node:module";
import type { Failure } from "./check.ts";
import type { Changes, Outputs } from "./plugin.ts";
import { encode, type Properties } from "./values.ts";

export const messages = createRequire(import.meta.url)("@pulumi/pulumi/proto/provider_pb.js");

// biome-ignore lint/suspicious/noExplicitAny: generated protobuf messages, which have no types that fit all of them.
export type Message = any;

/** Says what both replies to a handshake and to a configuration say: secrets come and go as secrets. */
export function capabilities(response: Message): Message {
  // Both replies have these two, spelled differently.
  for (const setter of ["setAcceptSecrets", "setAcceptsecrets"]) response[setter]?.(true);
  return response;
}

/** The reply to Check and CheckConfig. */
export function checked(inputs: Properties, secrets: ReadonlySet<string>, failures: readonly Failure[]): unknown {
  return new messages.CheckResponse().setInputs(encode(inputs, secrets)).setFailuresList(failures.map(checkFailure));
}

export function checkFailure({ property, reason }: Failure): unknown {
  return new messages.CheckFailure().setProperty(property).setReason(reason);
}

/** A resource's outputs: secret where the handler says so, or where the input of that name is. */
export function encodeOutputs(result: Outputs, inputSecrets: ReadonlySet<string>): unknown {
  return encode(result.outputs, new Set([...inputSecrets, ...(result.secrets ?? [])]));
}

/** The reply to Diff: with every changed path, and the properties that force a replacement. */
export function diffResponse(changes: Changes): unknown {
  const { PropertyDiff, DiffResponse } = messages;
  const response = new DiffResponse();
  response.setChanges(changes.size === 0 ? DiffResponse.DiffChanges.DIFF_NONE : DiffResponse.DiffChanges.DIFF_SOME);
  response.setHasdetaileddiff(changes.size > 0);
  const root = (path: string) => path.split(/[.[]/)[0] ?? path;
  response.setDiffsList([...new Set([...changes.keys()].map(root))]);
  response.setReplacesList([
    ...new Set([...changes].filter(([, kind]) => kind.endsWith("-replace")).map(([path]) => root(path))),
  ]);
  for (const [path, kind] of changes) {
    const name = kind.toUpperCase().replace("-", "_");
    response.getDetaileddiffMap().set(path, new PropertyDiff().setKind(PropertyDiff.Kind[name]).setInputdiff(true));
  }
  return response;
}
