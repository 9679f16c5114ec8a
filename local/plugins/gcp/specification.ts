import type { Fields } from "../specification.ts";
import { templateFields } from "./template.ts";

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const texts = { type: "map", of: text } as const;
const uncovered = { type: "uncovered" } as const;

/**
 * Inputs of `gcp:cloudrunv2/service:Service`, with the API's names where they differ. Source: @pulumi/gcp cloudrunv2/service.d.ts and
 * google/cloud/run/v2/service.proto.
 */
export const serviceInputs: Fields = {
  name: { ...text, computed: true, replaces: true },
  location: { ...text, required: true, replaces: true },
  project: { ...text, computed: true, replaces: true },
  annotations: texts,
  labels: texts,
  description: text,
  client: text,
  clientVersion: text,
  ingress: { ...text, computed: true },
  launchStage: { ...text, computed: true },
  customAudiences: { type: "list", of: text },
  defaultUriDisabled: flag,
  invokerIamDisabled: flag,
  deletionProtection: { ...flag, default: true },
  scaling: {
    type: "object",
    computed: true,
    fields: {
      minInstanceCount: { type: "number" },
      maxInstanceCount: { type: "number" },
      manualInstanceCount: { type: "number" },
      scalingMode: { ...text, computed: true },
    },
  },
  template: { type: "object", required: true, fields: templateFields },
  traffics: {
    type: "list",
    wire: "traffic",
    computed: true,
    of: {
      type: "object",
      fields: { type: text, revision: text, percent: { type: "number" }, tag: text },
    },
  },
  binaryAuthorization: uncovered,
  buildConfig: uncovered,
  deletionPolicy: uncovered,
  iapEnabled: uncovered,
  multiRegionSettings: uncovered,
  tags: uncovered,
};

/** Inputs that aren't members of the API's Service. */
export const NOT_ON_THE_WIRE: ReadonlySet<string> = new Set(["name", "location", "project", "deletionProtection"]);

const condition: Fields = {
  type: text,
  state: text,
  message: text,
  reason: text,
  severity: text,
  lastTransitionTime: text,
  revisionReason: text,
  executionReason: text,
};

/** Members of the API's Service that are outputs only. */
export const serviceOutputs: Fields = {
  uid: text,
  generation: text,
  observedGeneration: text,
  createTime: text,
  updateTime: text,
  deleteTime: text,
  expireTime: text,
  creator: text,
  lastModifier: text,
  etag: text,
  uri: text,
  urls: { type: "list", of: text },
  reconciling: flag,
  latestReadyRevision: text,
  latestCreatedRevision: text,
  conditions: { type: "list", of: { type: "object", fields: condition } },
  terminalConditions: { type: "object", wire: "terminalCondition", fields: condition },
  trafficStatuses: {
    type: "list",
    of: {
      type: "object",
      fields: { type: text, revision: text, percent: { type: "number" }, tag: text, uri: text },
    },
  },
};

/** Outputs that are worked out rather than read. */
export const derivedOutputs = ["effectiveAnnotations", "effectiveLabels", "pulumiLabels"] as const;

/**
 * Provider configuration. What only matters for Google's own endpoints and credentials isn't covered, nor are the endpoints of other
 * services.
 */
export const providerConfig: Fields = {
  project: text,
  region: text,
  zone: text,
  accessToken: text,
  cloudRunV2CustomEndpoint: text,
  // The SDK sends booleans as JSON text.
  addPulumiAttributionLabel: text,
  pulumiAttributionLabelAdditionStrategy: { ...text, values: ["CREATION_ONLY", "PROACTIVE"] },
  disableGooglePartnerName: text,
  googlePartnerName: text,
  // Only as `gcp:skipRegionValidation` in a stack's configuration.
  skipRegionValidation: text,
  batching: uncovered,
  billingProject: uncovered,
  credentials: uncovered,
  defaultLabels: uncovered,
  deletionPolicy: uncovered,
  externalCredentials: uncovered,
  impersonateServiceAccount: uncovered,
  impersonateServiceAccountDelegates: uncovered,
  pollInterval: uncovered,
  preferGlobalEndpoints: uncovered,
  preferRegionalEndpoints: uncovered,
  requestReason: uncovered,
  requestTimeout: uncovered,
  scopes: uncovered,
  universeDomain: uncovered,
  userProjectOverride: uncovered,
};
