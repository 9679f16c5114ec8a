import { RELEASE_DOCUMENT } from "../opa/release-document.ts";

import type { Signer } from "./signature-status.ts";

/** What the governance checks are asked to look at; the process gets it as JSON on stdin. */
export interface Question {
  /** Exported policies of the release: a folder for each domain. */
  directory: string;
  domains: string[];
}

export interface TestReport {
  passed: number;
  failed: number;
  skipped: number;
}

export interface DomainReport {
  domain: string;
  /** Rego package that callers ask, from the domain's manifest.yaml; empty when that can't be read. */
  package: string;
  tests: TestReport;
}

/** The answer, as JSON on stdout; kept in the stack's state. A release with problems is not deployed. */
export interface Report {
  problems: string[];
  warnings: string[];
  domains: DomainReport[];
  /** Who signed the release, where the stack demands a signature. */
  signer?: Signer | undefined;
}

/** An entry of `opa test --format json`. */
export interface OpaTest {
  location: { file: string; row: number };
  package: string;
  name: string;
  fail?: boolean;
  skip?: boolean;
  error?: unknown;
}

/** An entry of `opa check --format json`. */
export interface OpaError {
  message: string;
  code: string;
  location?: { file: string; row: number; col: number };
  details?: { line?: string };
}

/** `travel/policy.rego:12:3: rego_parse_error: unexpected eof token` and the offending line, where OPA gives it. */
export function describeOpaError({ message, code, location, details }: OpaError): string {
  const where = location === undefined ? "" : `${location.file}:${location.row}:${location.col}: `;
  const line = details?.line === undefined ? "" : `\n      ${details.line.trim()}`;
  return `${where}${code}: ${message}${line}`;
}

/** Counts a domain's tests, and names the failing ones. A test belongs to the domain whose folder its file is in. */
export function judgeTests(domain: string, tests: OpaTest[]): { report: TestReport; problems: string[] } {
  const own = tests.filter(({ location }) => location.file.startsWith(`${domain}/`));
  const failed = own.filter(({ fail }) => fail === true);
  const skipped = own.filter(({ skip }) => skip === true);
  return {
    report: { passed: own.length - failed.length - skipped.length, failed: failed.length, skipped: skipped.length },
    problems: failed.map(({ location, name }) => `${location.file}:${location.row}: unit test ${name} fails`),
  };
}

/** Packages by `opa inspect`: `data.auto_book` and the files it is in. */
export type Namespaces = Record<string, string[]>;

const RESERVED = ["system", RELEASE_DOCUMENT];

/** OPA's own configuration, which could open its API or rewrite decision logs, and what says which release this is. */
export function reservedPackages(namespaces: Namespaces): string[] {
  return Object.keys(namespaces)
    .filter((name) => RESERVED.includes(name.split(".")[1] ?? ""))
    .map((name) => `package ${name.slice("data.".length)} is reserved: it is part of how the policies are served`);
}

/**
 * The package that callers of a domain ask: the manifest's, or the only one the domain has. `problem` where there is no such package, so that
 * callers would get no decision.
 */
export function choosePackage(
  domain: string,
  named: string | undefined,
  namespaces: Namespaces,
): { package: string; problem?: string } {
  const own = Object.entries(namespaces)
    .filter(([, files]) => files.some((file) => file.split("/").includes(domain) && !file.endsWith("_test.rego")))
    .map(([name]) => name.slice("data.".length));
  const found = own.join(", ") || "none";
  if (named === undefined) {
    const [only = ""] = own;
    if (own.length === 1) return { package: only };
    return {
      package: "",
      problem: `${domain}/manifest.yaml has to say \`package: NAME\`, one of those found: ${found}`,
    };
  }
  if (own.includes(named)) return { package: named };
  return {
    package: named,
    problem: `${domain}/manifest.yaml names package ${named}, which no Rego file of ${domain} defines (found: ${found})`,
  };
}
