import { readFileSync } from "node:fs";
import type { Config } from "../config.ts";
import { messageOf, UserError } from "../errors.ts";

/** How the instances of a revision run. Fixed when the revision is made: a change takes effect with the next release. */
export interface RevisionSettings {
  /** Absent: the project's default account, or none where there are no accounts. */
  serviceAccount?: string;
  cpu: string;
  memory: string;
  maxInstances: number;
  concurrency: number;
  /** Seconds. */
  requestTimeout: number;
  decisionLogs: boolean;
  /** Names of input fields that decision logs leave out. */
  decisionLogMask: string[];
  /** Public key (PEM) that the bundle of policies has to be signed for. */
  verificationKey?: string;
}

type SettingsConfig = Pick<
  Config,
  "cpu" | "memory" | "maxInstances" | "concurrency" | "requestTimeout" | "decisionLogs" | "decisionLogMask"
> &
  Pick<Config, "bundleVerificationKey">;

/** The settings that the configuration asks for. @throws UserError when the verification key can't be read or isn't a public key. */
export function revisionSettings(config: SettingsConfig): Omit<RevisionSettings, "serviceAccount"> {
  const { cpu, memory, maxInstances, concurrency, requestTimeout, decisionLogs, decisionLogMask } = config;
  const settings = { cpu, memory, maxInstances, concurrency, requestTimeout, decisionLogs, decisionLogMask };
  const file = config.bundleVerificationKey;
  return file === undefined ? settings : { ...settings, verificationKey: readPublicKey(file) };
}

function readPublicKey(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new UserError(
      `bundleVerificationKey: ${file} can't be read (${messageOf(cause)}); make it with \`openssl rsa -in PRIVATE.pem -pubout -out ${file}\``,
      { cause },
    );
  }
  // It goes into the revision's arguments, where everybody who may look at the service can read it.
  if (/^-----BEGIN PUBLIC KEY-----[\s\S]+-----END PUBLIC KEY-----$/.test(text)) return text;
  throw new UserError(
    `bundleVerificationKey: ${file} doesn't hold a public key in PEM form (-----BEGIN PUBLIC KEY-----); make it with \`openssl rsa -in PRIVATE.pem -pubout -out ${file}\``,
  );
}
