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

/**
 * What is wrong with the policies' packages. `system` is OPA's own configuration: rules there could open its API, or rewrite decision logs.
 * @param packages by domain, from its manifest; "" where that can't be read @param namespaces as `opa inspect` names them: data.auto_book
 */
export function judgePackages(domains: string[], packages: string[], namespaces: string[]): string[] {
  const problems = namespaces
    .filter((name) => /^data\.(system|policy_release)(\.|$)/.test(name))
    .map((name) => `package ${name.slice("data.".length)} is reserved: it is part of how the policies are served`);
  for (const [index, name] of packages.entries()) {
    if (name === "" || namespaces.includes(`data.${name}`)) continue;
    const known = namespaces.filter((other) => !other.endsWith("_test")).map((other) => other.slice("data.".length));
    problems.push(
      `${domains[index]}/manifest.yaml names package ${name}, which no Rego file defines (found: ${known.join(", ") || "none"}); callers would get no decision`,
    );
  }
  return problems;
}
