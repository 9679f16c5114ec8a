import assert from "node:assert/strict";
import { commandInputs, commandOutputs, runInputs, runOutputs } from "../../../local/plugins/command/specification.ts";
import { dockerConfig, imageInputs, imageOutputs } from "../../../local/plugins/docker/specification.ts";
import {
  derivedOutputs,
  providerConfig,
  serviceInputs,
  serviceOutputs,
} from "../../../local/plugins/gcp/specification.ts";
import type { Field, Fields, Shape } from "../../../local/plugins/specification.ts";
import { SdkTypes } from "./sdkTypes.ts";

/**
 * Where a specification and an SDK's types differ. A property of the SDK that the stand-in neither takes nor lists as uncovered is a
 * difference too, so that an upgrade of the SDK shows here.
 */
function differences(ours: Fields, sdk: Fields, path = ""): string[] {
  const names = new Set([...Object.keys(ours), ...Object.keys(sdk)]);
  return [...names].sort().flatMap((name) => {
    const mine = ours[name];
    const theirs = sdk[name];
    const at = path === "" ? name : `${path}.${name}`;
    if (mine === undefined) return [`${at}: the SDK has it, the stand-in neither covers nor refuses it`];
    if (theirs === undefined) return [`${at}: the SDK doesn't have it`];
    if (mine.type === "uncovered") return [];
    const found = shapeDifferences(mine, theirs, at);
    if ((mine.required ?? false) !== (theirs.required ?? false)) found.push(`${at}: required in one only`);
    return found;
  });
}

function shapeDifferences(mine: Shape | Field, theirs: Shape | Field, at: string): string[] {
  if (mine.type !== theirs.type) return [`${at}: ${mine.type} here, ${theirs.type} in the SDK`];
  if (mine.type === "object" && theirs.type === "object") return differences(mine.fields, theirs.fields, at);
  if ((mine.type === "list" || mine.type === "map") && (theirs.type === "list" || theirs.type === "map")) {
    return shapeDifferences(mine.of, theirs.of, `${at}[]`);
  }
  if (mine.type === "string" && theirs.type === "string" && mine.values !== undefined && theirs.values !== undefined) {
    return mine.values
      .filter((value) => !theirs.values?.includes(value))
      .map((value) => `${at}: the SDK has no ${value}`);
  }
  return [];
}

/** Outputs may be there or not; only names and types are compared. */
function withoutRequired(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, optional(field) as Field]));
}

function optional(shape: Shape | Field): Shape {
  const { required: _, ...rest } = shape as Field;
  if (rest.type === "object") return { ...rest, fields: withoutRequired(rest.fields) };
  if (rest.type === "list" || rest.type === "map") return { ...rest, of: optional(rest.of) };
  return rest;
}

function pick(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, fields[name] as Field]));
}

/** Provider configuration goes over the wire as text: booleans and lists as JSON. */
function asText(fields: Fields): Fields {
  return Object.fromEntries(Object.keys(fields).map((name) => [name, { type: "string" } as Field]));
}

describe("stand-ins against the SDKs' own types", () => {
  describe("@pulumi/gcp", () => {
    const sdk = new SdkTypes("@pulumi/gcp");
    const state = sdk.fields("cloudrunv2/service.d.ts", "Service");

    it("ServiceArgs, at every depth", () => {
      assert.deepEqual(differences(serviceInputs, sdk.fields("cloudrunv2/service.d.ts", "ServiceArgs")), []);
    });
    it("has every output of Service", () => {
      const ours = [...Object.keys(serviceInputs), ...Object.keys(serviceOutputs), ...derivedOutputs];
      assert.deepEqual(ours.sort(), Object.keys(state).sort());
    });
    it("types of the outputs that are no inputs", () => {
      const theirs = withoutRequired(pick(state, Object.keys(serviceOutputs)));
      const { fields: condition } = serviceOutputs.terminalConditions as { fields: Fields };
      // One on the wire, a list of one in the SDK.
      const ours: Fields = {
        ...serviceOutputs,
        terminalConditions: { type: "list", of: { type: "object", fields: condition } },
      };
      assert.deepEqual(differences(ours, theirs), []);
    });
    it("types of the outputs that are inputs too", () => {
      const covered = Object.keys(serviceInputs).filter((name) => serviceInputs[name]?.type !== "uncovered");
      const ours = withoutRequired(pick(serviceInputs, covered));
      assert.deepEqual(differences(ours, withoutRequired(pick(state, covered))), []);
    });
    it("ProviderArgs but for the endpoints of other services", () => {
      const all = sdk.fields("provider.d.ts", "ProviderArgs");
      // Known to stack configuration (config/vars.d.ts) and not to ProviderArgs.
      all.skipRegionValidation = { type: "boolean" };
      const names = Object.keys(all).filter((name) => name in providerConfig || !name.endsWith("CustomEndpoint"));
      assert.deepEqual(differences(providerConfig, asText(pick(all, names))), []);
    });
  });

  describe("@pulumi/docker", () => {
    const sdk = new SdkTypes("@pulumi/docker");
    it("ImageArgs, at every depth", () => {
      assert.deepEqual(differences(imageInputs, sdk.fields("image.d.ts", "ImageArgs")), []);
    });
    it("has every output of Image", () => {
      const theirs = Object.keys(sdk.fields("image.d.ts", "Image"));
      assert.deepEqual([...imageOutputs, "imageName"].sort(), theirs.sort());
    });
    it("ProviderArgs", () => {
      assert.deepEqual(differences(dockerConfig, asText(sdk.fields("provider.d.ts", "ProviderArgs"))), []);
    });
  });

  describe("@pulumi/command", () => {
    const sdk = new SdkTypes("@pulumi/command");
    // Outputs of assetPaths and archivePaths, which are refused.
    const uncovered = ["archive", "assets"];
    it("CommandArgs", () => {
      assert.deepEqual(differences(commandInputs, sdk.fields("local/command.d.ts", "CommandArgs")), []);
    });
    it("has every output of Command but those of refused inputs", () => {
      const ours = [...Object.keys(commandInputs), ...commandOutputs, ...uncovered];
      assert.deepEqual(ours.sort(), Object.keys(sdk.fields("local/command.d.ts", "Command")).sort());
    });
    it("RunArgs", () => {
      assert.deepEqual(differences(runInputs, sdk.fields("local/run.d.ts", "RunArgs")), []);
    });
    it("has every result of run but those of refused arguments", () => {
      const refused = new Set(Object.keys(runInputs).filter((name) => runInputs[name]?.type === "uncovered"));
      const ours = [...Object.keys(runInputs).filter((name) => !refused.has(name)), ...runOutputs, ...uncovered];
      assert.deepEqual(ours.sort(), Object.keys(sdk.fields("local/run.d.ts", "RunResult")).sort());
    });
  });

  it("can fail: a difference of any kind is found", () => {
    const sdk: Fields = {
      a: { type: "string", required: true },
      b: { type: "list", of: { type: "number" } },
      c: { type: "any" },
    };
    const ours: Fields = { a: { type: "string" }, b: { type: "list", of: { type: "string" } }, d: { type: "any" } };
    assert.deepEqual(differences(ours, sdk), [
      "a: required in one only",
      "b[]: string here, number in the SDK",
      "c: the SDK has it, the stand-in neither covers nor refuses it",
      "d: the SDK doesn't have it",
    ]);
  });
});
