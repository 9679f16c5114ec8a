import type { RevisionTemplate } from "../cloudrun/api.ts";

/** Port that OPA listens on in its container. */
export const OPA_PORT = 8181;

/** OPA without any policy: every decision is undefined, which callers take as deny. */
export const BOOTSTRAP_ARGS = [
  "run",
  "--server",
  `--addr=0.0.0.0:${OPA_PORT}`,
  // OPA's API can change policies while it runs; the rules in /system refuse that.
  "--authorization=basic",
  // It would ask its makers for newer versions.
  "--skip-version-check",
  "--log-level=error",
  // Unit tests are part of the commit, and so of the image, but no rules of the running policy.
  "--ignore=*_test.rego",
  // What a commit says of its own changes is for the gates.
  "--ignore=expected-changes.yaml",
  "/system",
];

/** OPA with the image's policies. */
export const POLICY_ARGS = [...BOOTSTRAP_ARGS, "/policies"];

/** Ready as soon as OPA has loaded and compiled its policies; up to a minute for very large ones. */
export const STARTUP_PROBE = {
  httpGet: { path: "/health", port: OPA_PORT },
  periodSeconds: 1,
  timeoutSeconds: 1,
  failureThreshold: 60,
};

/** The template of a release's revision, as the Admin API takes it. */
export function policyTemplate(args: {
  revision: string;
  image: string;
  release: string;
  policyDigest: string;
}): RevisionTemplate {
  return {
    revision: args.revision,
    // Label values may hold 63 characters; the whole digest is in the image and in the annotation.
    labels: { release: args.release },
    annotations: { "flowpilot.dev/policy-digest": args.policyDigest },
    containers: [
      {
        image: args.image,
        args: POLICY_ARGS,
        ports: [{ containerPort: OPA_PORT }],
        startupProbe: STARTUP_PROBE,
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
