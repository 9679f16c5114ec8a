import { execFile } from "node:child_process";
import { isLoopback } from "../cloudrun/credentials.ts";

/** Where secrets are that the environment doesn't hold; part of resources' inputs, so it names them and holds none. */
export interface NotifyConfig {
  stack: string;
  /** Keys of the stack's configuration that hold secrets. */
  secrets: string[];
}

/** Addresses and keys, for this moment and this process only. */
export interface Destinations {
  slack?: string;
  webhook?: string;
  webhookSecret?: string;
}

/** Variables that hold the secrets, and the keys of the configuration that may hold them instead. */
export const VARIABLES = {
  slack: { variable: "FLOWPILOT_SLACK_WEBHOOK", key: "slackWebhook" },
  webhook: { variable: "FLOWPILOT_WEBHOOK", key: "webhook" },
  webhookSecret: { variable: "FLOWPILOT_WEBHOOK_SECRET", key: "webhookSecret" },
} as const;

/** Whether anybody is to be told anything, as far as that can be told without looking. */
export function notifies(config: NotifyConfig | undefined, environment: NodeJS.ProcessEnv = process.env): boolean {
  return (
    (config?.secrets.length ?? 0) > 0 ||
    isSet(environment.FLOWPILOT_SLACK_WEBHOOK) ||
    isSet(environment.FLOWPILOT_WEBHOOK)
  );
}

/** What is wrong with the variables: one line each, without their values. */
export function environmentProblems(environment: NodeJS.ProcessEnv): string[] {
  return [VARIABLES.slack.variable, VARIABLES.webhook.variable]
    .filter((name) => isSet(environment[name]) && !isWebhookUrl(environment[name]))
    .map((name) => `${name}: its value (not shown) is no https address`);
}

/** An address that a secret may be sent to: https, or this machine. */
export function isWebhookUrl(text: string | undefined): boolean {
  try {
    const { protocol } = new URL(text ?? "");
    return protocol === "https:" || (protocol === "http:" && isLoopback(text ?? ""));
  } catch {
    return false;
  }
}

/** The environment first; what it doesn't hold, from the stack's configuration, which pulumi decrypts. Never throws: what can't be read is absent. */
export async function readDestinations(config: NotifyConfig | undefined, signal: AbortSignal): Promise<Destinations> {
  const found: Destinations = {};
  const missing: [keyof Destinations, string][] = [];
  for (const [name, { variable, key }] of Object.entries(VARIABLES) as [
    keyof Destinations,
    { variable: string; key: string },
  ][]) {
    const value = process.env[variable];
    if (isSet(value)) found[name] = value;
    else if (config?.secrets.includes(key)) missing.push([name, key]);
  }
  if (config !== undefined && missing.length > 0) {
    const values = await decrypt(config.stack, signal);
    for (const [name, key] of missing) found[name] = values[key];
  }
  return found;
}

/** A secret goes through a pipe from pulumi to here; it is in no argument, file or log. */
function decrypt(stack: string, signal: AbortSignal): Promise<Record<string, string>> {
  const parameters = ["config", "--show-secrets", "--json", "--non-interactive", "--stack", stack];
  return new Promise((resolve) => {
    execFile("pulumi", parameters, { signal, encoding: "utf8" }, (error, stdout) => {
      if (error !== null) return resolve({});
      try {
        const all = JSON.parse(stdout) as Record<string, { value?: string }>;
        resolve(
          Object.fromEntries(
            Object.entries(all).map(([key, { value }]) => [key.slice(key.indexOf(":") + 1), value ?? ""]),
          ),
        );
      } catch {
        resolve({});
      }
    });
  });
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== "";
}
