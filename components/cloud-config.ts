import { z } from "zod";

const region = z.string().regex(/^[a-z]+(-[a-z]+)+\d+$/, "a region such as us-central1");

/** Who may ask, as IAM names members. Source: the `members` of a google.iam.v1.Binding. */
const member = z
  .string()
  .regex(
    /^((user|group|serviceAccount):[^\s@:]+@[^\s@:]+|domain:[^\s@:]+|principal(Set)?:\/\/\S+|allUsers|allAuthenticatedUsers)$/,
    'an IAM member such as "serviceAccount:NAME@PROJECT.iam.gserviceaccount.com" or "group:NAME@DOMAIN"',
  );

/** Ingress as gcloud names it. */
export const INGRESS = {
  internal: "INGRESS_TRAFFIC_INTERNAL_ONLY",
  "internal-and-cloud-load-balancing": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
  all: "INGRESS_TRAFFIC_ALL",
} as const;

/** The keys that say how the service runs in a cloud; part of configSchema. */
export const cloudKeys = {
  region: region.optional().describe("region of the service and of the image repository, such as us-central1"),
  regions: z
    .array(region)
    .min(1)
    .refine((all) => new Set(all).size === all.length, "each region once")
    .optional()
    .describe(
      "several regions instead of one, rolled out in this order; the first also holds the image repository and stays the first",
    ),
  platform: z
    .boolean()
    .optional()
    .describe(
      "whether APIs, image repository, service account, access, secret, metrics and alerts are declared too; by default they are unless endpoint is set",
    ),
  deletionProtection: z
    .boolean()
    .optional()
    .describe(
      "whether the service can't be deleted, by `pulumi destroy` either; by default it can't where platform is on, or with several regions",
    ),
  ingress: z
    .enum(["internal", "internal-and-cloud-load-balancing", "all"])
    .default("internal")
    .describe("from where the service can be reached at all; whoever deploys has to reach it as well"),
  invokers: z
    .array(member)
    .default([])
    .describe("who may ask for decisions: the callers' service accounts, and whoever deploys (the gates ask)"),
  allowUnauthenticated: z
    .boolean()
    .default(false)
    .describe("confirms that invokers may name allUsers or allAuthenticatedUsers"),
  serviceAccount: z
    .email()
    .optional()
    .describe("service account that the service runs as, instead of the one without roles that is declared"),
  customAudiences: z
    .array(z.string().min(1))
    .default([])
    .describe("audiences that callers' ID tokens may name besides the service's URL"),
  minInstances: z
    .number()
    .int()
    .min(0)
    .max(1000)
    .default(1)
    .describe("instances kept warm for the whole service, shared by its split"),
  maxInstances: z.number().int().min(1).max(1000).default(20).describe("most instances of one revision"),
  concurrency: z.number().int().min(1).max(1000).default(80).describe("requests that one instance answers at a time"),
  cpu: z
    .string()
    .regex(/^(1|2|4|6|8|[1-8]000m)$/, "1, 2, 4, 6 or 8, in quotes")
    .default("1")
    .describe("CPUs of one instance"),
  memory: z
    .string()
    .regex(/^[1-9]\d*(Mi|Gi)$/, "a size such as 512Mi or 1Gi")
    .default("512Mi")
    .describe("memory of one instance"),
  requestTimeout: z.number().int().min(1).max(3600).default(10).describe("seconds after which a request is given up"),
  decisionLogs: z
    .boolean()
    .default(false)
    .describe("write every decision to stdout as JSON, masked by decisionLogMask"),
  decisionLogMask: z
    .array(z.string().min(1))
    .default(["id", "email", "delegation_chain"])
    .describe("names of input fields that are left out of decision logs, wherever they are"),
  bundleSigningKey: z
    .string()
    .min(1)
    .optional()
    .describe("PEM file with the private key (RSA) that signs the bundle of policies; the file stays on this machine"),
  bundleVerificationKey: z
    .string()
    .min(1)
    .optional()
    .describe(
      "PEM file with the public key; with it OPA refuses at start a bundle that isn't signed with the other half",
    ),
  alertEmails: z.array(z.email()).default([]).describe("who is told by e-mail when an alert fires"),
};
