import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Release } from "../commit/release.ts";
import type { Config } from "../config.ts";
import { UserError } from "../errors.ts";
import type { DomainReport, Question, Report } from "./report.ts";
import type { SignatureConfig, SignatureReport } from "./signature.ts";

export interface GovernanceArgs {
  release: Release;
  /** Exported policies of the release. */
  directory: string;
  config: Pick<Config, "domains" | "allowDirty"> & SignatureConfig;
}

/** Constant, so nothing from a repository is ever part of a shell command; what to check goes in on stdin. */
const CHECK = "node components/governance/check.ts";

/**
 * Checks whether a release may be deployed at all, in `pulumi preview` as in `pulumi up`: Rego syntax and types (strict), unit tests, manifest,
 * uncommitted changes, signature. Nothing may be declared before it has resolved.
 * @throws UserError that names every problem, with file and line where it has them.
 */
export async function checkPolicies({ release, directory, config }: GovernanceArgs): Promise<Report> {
  refuseDirty(release, config.allowDirty);
  const question: Question = { directory, domains: config.domains };
  const [{ stdout }, signature] = await Promise.all([
    command.local.run({ command: CHECK, stdin: JSON.stringify(question) }),
    signatureOf(release, config),
  ]);
  const report = JSON.parse(stdout ?? "") as Report;
  const problems = [...report.problems, ...(signature.problem === undefined ? [] : [signature.problem])];
  if (problems.length > 0) {
    throw new UserError(
      [
        `release ${release.hash} is not deployed: it has ${problems.length} problem${problems.length === 1 ? "" : "s"}:`,
        ...problems.map((problem) => `  - ${problem}`),
        "Nothing was changed. Fix them, commit, and run `pulumi up` again.",
      ].join("\n"),
    );
  }
  const warnings = [...report.warnings, ...releaseWarnings(release)];
  await Promise.all(warnings.map((warning) => pulumi.log.warn(warning)));
  return { ...report, warnings, signer: signature.signer };
}

/** What checks signatures is loaded where they are demanded. */
async function signatureOf(release: Release, config: SignatureConfig): Promise<SignatureReport> {
  if (config.requireSignature === "none") return {};
  const { checkSignature } = await import("./signature.ts");
  return checkSignature(release, config);
}

/** @throws UserError with the list of files when there are uncommitted changes and they aren't confirmed. */
export function refuseDirty(release: Pick<Release, "dirtyFiles" | "hash">, allowDirty: boolean): void {
  if (release.dirtyFiles.length === 0 || allowDirty) return;
  throw new UserError(
    [
      "policies or scenarios have uncommitted changes, and only commits are deployed:",
      ...release.dirtyFiles.map((file) => `  ${file}`),
      `Commit them, or deploy ${release.hash} without them: \`pulumi config set allowDirty true\`.`,
    ].join("\n"),
  );
}

function releaseWarnings(release: Release): string[] {
  const warnings: string[] = [];
  if (release.dirtyFiles.length > 0) {
    warnings.push(`uncommitted changes are not part of release ${release.hash}: ${release.dirtyFiles.join(", ")}`);
  }
  if (release.shallowBoundary) {
    warnings.push(
      `shallow clone: ${release.hash} is its oldest commit and stands for whichever older commit changed the policies last; fetch the history (\`git fetch --unshallow\`) for the true one`,
    );
  }
  return warnings;
}

/** The record of the checks in the stack's state. */
export class GovernanceChecks extends pulumi.ComponentResource {
  readonly domains: pulumi.Output<DomainReport[]>;

  constructor(
    name: string,
    args: { release: Release; policyDigest: string; report: Report },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("flowpilot:policy:GovernanceChecks", name, {}, opts);
    this.domains = pulumi.output(args.report.domains);
    this.registerOutputs({
      release: args.release.hash,
      commit: args.release.commit,
      author: `${args.release.author} <${args.release.email}>`,
      message: args.release.subject,
      committedAt: args.release.committedAt,
      pinned: args.release.pinned,
      dirtyFiles: args.release.dirtyFiles,
      policyDigest: args.policyDigest,
      domains: args.report.domains,
      warnings: args.report.warnings,
      ...(args.report.signer && { signedBy: args.report.signer }),
    });
  }
}
