import type { RevisionTemplate } from "../cloudrun/api.ts";
import type { RevisionSettings } from "./settings.ts";

/** Port that OPA listens on in its container. */
export const OPA_PORT = 8181;

/** Where an image keeps what OPA loads: one bundle of the policies, their data, and what may be asked. */
export const BUNDLE = "/bundle.tar.gz";

/** What decision logs leave out: names of fields, as a JSON list. Read by components/image/system/mask.rego. */
const MASK_VARIABLE = "DECISION_LOG_MASK";

/** Ready as soon as OPA has loaded and compiled its policies; up to a minute for very large ones. */
const STARTUP_PROBE = {
  httpGet: { path: "/health", port: OPA_PORT },
  periodSeconds: 1,
  timeoutSeconds: 1,
  failureThreshold: 60,
};

/** An instance that hasn't answered for half a minute is replaced. */
const LIVENESS_PROBE = {
  httpGet: { path: "/health", port: OPA_PORT },
  periodSeconds: 10,
  timeoutSeconds: 2,
  failureThreshold: 3,
};

/**
 * The public key itself as OPA's argument, PEM. OPA first looks for a file of that name, and ends at once where the system says that no file can have such a
 * long name, which it does for a key that happens to have no slash for 255 characters. What is in front lies in a folder that isn't there,
 * so the answer is always "no such file"; readers of PEM skip what comes before the first line of dashes.
 */
export function verificationArgument(publicKey: string): string {
  return `--verification-key=no-file/\n${publicKey}`;
}

/** How OPA is started. The image decides what it serves: without policies every decision is undefined, which callers take as deny. */
export function opaArguments({ decisionLogs, verificationKey }: RevisionSettings): string[] {
  return [
    "run",
    "--server",
    `--addr=0.0.0.0:${OPA_PORT}`,
    // Who asks is the platform's business (IAM); OPA would only take the same token for one of its own.
    "--authentication=off",
    // OPA's API can change policies while it runs; the rules in the bundle's system package refuse that.
    "--authorization=basic",
    // It would ask its makers for newer versions.
    "--skip-version-check",
    "--log-level=error",
    "--log-format=json",
    ...(decisionLogs ? ["--set=decision_logs.console=true"] : []),
    ...(verificationKey === undefined ? [] : [verificationArgument(verificationKey)]),
    "--bundle",
    BUNDLE,
  ];
}

/** The container of a revision, in the terms that the Admin API and @pulumi/gcp share; how ports and environment are written they don't. */
function container(image: string, settings: RevisionSettings) {
  return {
    image,
    args: opaArguments(settings),
    resources: {
      limits: { cpu: settings.cpu, memory: settings.memory },
      // OPA works only while it is asked, so CPU is paid for only then.
      cpuIdle: true,
      startupCpuBoost: true,
    },
    startupProbe: STARTUP_PROBE,
    livenessProbe: LIVENESS_PROBE,
  };
}

function environment({
  decisionLogs,
  decisionLogMask,
}: RevisionSettings): { name: string; value: string }[] | undefined {
  return decisionLogs ? [{ name: MASK_VARIABLE, value: JSON.stringify(decisionLogMask) }] : undefined;
}

/** What a revision's template holds beside its containers. Warm instances are the service's business: a revision's own would be kept for every tagged release. */
function scaling({ serviceAccount, maxInstances, concurrency, requestTimeout }: RevisionSettings) {
  return {
    ...(serviceAccount === undefined || serviceAccount === "" ? {} : { serviceAccount }),
    scaling: { maxInstanceCount: maxInstances },
    maxInstanceRequestConcurrency: concurrency,
    timeout: `${requestTimeout}s`,
  };
}

/** The template of a release's revision, as the Admin API takes it. */
export function policyTemplate(args: {
  revision: string;
  image: string;
  release: string;
  policyDigest: string;
  settings: RevisionSettings;
}): RevisionTemplate {
  return {
    revision: args.revision,
    // Label values may hold 63 characters; the whole digest is in the image and in the annotation.
    labels: { release: args.release },
    annotations: { "flowpilot.dev/policy-digest": args.policyDigest },
    ...scaling(args.settings),
    containers: [
      {
        ...container(args.image, args.settings),
        env: environment(args.settings),
        ports: [{ containerPort: OPA_PORT }],
      },
    ],
  };
}

/** The template of the bootstrap revision, as @pulumi/gcp takes it. */
export function bootstrapTemplate(args: { revision: string; image: string; settings: RevisionSettings }) {
  return {
    revision: args.revision,
    ...scaling(args.settings),
    containers: [
      {
        ...container(args.image, args.settings),
        envs: environment(args.settings),
        ports: { containerPort: OPA_PORT },
      },
    ],
  };
}

/** The revision that denies everything: what there is to fall back to before any release, and when no other is left. */
export function bootstrapRevision(service: string): string {
  return `${service}-bootstrap`;
}

/** `flowpilot-opa-a3f9d2c` */
export function revisionName(service: string, release: string): string {
  return `${service}-${release}`;
}

/** Tags start with a letter, hashes may not. */
export function tagName(release: string): string {
  return `v${release}`;
}
