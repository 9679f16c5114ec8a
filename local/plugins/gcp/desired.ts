import { type Properties, UNKNOWN } from "../values.ts";
import type { Configuration } from "./configuration.ts";
import { effective, pairs } from "./labels.ts";
import { type Json, toWire } from "./mapping.ts";
import { plan } from "./plan.ts";
import { NOT_ON_THE_WIRE, serviceInputs, serviceOutputs } from "./specification.ts";

/** The label that the provider adds on its own. */
const ATTRIBUTION = { "goog-pulumi-provisioned": "true" };

const WIRE_INPUTS = Object.fromEntries(Object.entries(serviceInputs).filter(([name]) => !NOT_ON_THE_WIRE.has(name)));

/** The service that inputs and state ask for, with all labels and annotations that it shall carry. */
export function desiredService(
  state: Properties,
  inputs: Properties,
  ignoreChanges: readonly string[],
  configuration: Pick<Configuration, "project" | "attributionLabel" | "attributionLabelProactive">,
): Properties {
  const desired = plan(state, inputs, serviceInputs, ignoreChanges);
  desired.project ??= configuration.project;
  const attributed =
    configuration.attributionLabel &&
    (state.uid === undefined ||
      configuration.attributionLabelProactive ||
      Object.keys(ATTRIBUTION).some((key) => key in pairs(state.pulumiLabels)));
  const pulumiLabels =
    desired.labels === UNKNOWN ? UNKNOWN : { ...(attributed ? ATTRIBUTION : {}), ...pairs(desired.labels) };
  return {
    ...desired,
    pulumiLabels,
    effectiveLabels: effective(state.effectiveLabels, state.pulumiLabels, pulumiLabels),
    effectiveAnnotations: effective(state.effectiveAnnotations, state.annotations, desired.annotations),
  };
}

/** The body of a POST or PATCH. */
export function bodyOf(desired: Properties): { [name: string]: Json } {
  const { effectiveAnnotations, effectiveLabels } = desired;
  return toWire({ ...desired, annotations: effectiveAnnotations, labels: effectiveLabels }, WIRE_INPUTS);
}

/** What a preview of a creation knows: the inputs; the API's part is unknown. */
export function previewOf(desired: Properties): Properties {
  const outputs: Properties = { ...desired };
  for (const name of Object.keys(serviceOutputs)) outputs[name] = UNKNOWN;
  for (const [name, field] of Object.entries(serviceInputs)) if (field.computed) outputs[name] ??= UNKNOWN;
  return outputs;
}
