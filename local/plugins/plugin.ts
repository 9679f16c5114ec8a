import type { Failure } from "./check.ts";
import type { Fields } from "./specification.ts";
import type { Properties } from "./values.ts";

/** What a handler is told about the call it serves. */
export interface Call {
  urn: string;
  /** The resource's name in the program. */
  name: string;
  /** A preview: nothing may be changed, inputs may be unknown. */
  preview: boolean;
  /** Top-level names among the given properties that are secret. */
  secrets: ReadonlySet<string>;
  /** Paths that `ignoreChanges` names. */
  ignoreChanges: readonly string[];
  /** Seconds from `customTimeouts`; 0 when there are none. */
  timeoutSeconds: number;
  log: Log;
  /** Aborted when the engine asks to stop (Ctrl-C). */
  signal: AbortSignal;
}

/** The engine's log for one resource. `status` shows only in the live display, beside the resource. */
export interface Log {
  status(message: string): void;
  info(message: string): void;
  warning(message: string): void;
}

export type ChangeKind = "add" | "delete" | "update" | "add-replace" | "delete-replace" | "update-replace";

/** Changed property paths; empty means no change. */
export type Changes = Map<string, ChangeKind>;

export interface Outputs {
  outputs: Properties;
  /** Top-level outputs to mark secret, beside those whose input of that name is. */
  secrets?: Iterable<string>;
}

/** One resource type. A method that throws fails the step with the error's message; create must then have made nothing. */
export interface Resource {
  inputs: Fields;
  /** Names of the outputs that aren't inputs. */
  outputs: readonly string[];
  /** Fills in defaults. Called only with inputs that `inputs` accepts. */
  check?(news: Properties, olds: Properties, call: Call): Promise<{ inputs: Properties; failures?: Failure[] }>;
  diff(olds: Properties, news: Properties, call: Call): Changes;
  create(inputs: Properties, call: Call): Promise<Outputs & { id: string }>;
  /** What is live; undefined when it is gone. */
  read(
    id: string,
    state: Properties,
    inputs: Properties,
    call: Call,
  ): Promise<(Outputs & { id: string; inputs: Properties }) | undefined>;
  update(id: string, olds: Properties, news: Properties, call: Call): Promise<Outputs>;
  delete(id: string, state: Properties, call: Call): Promise<void>;
}

/** One function (invoke). */
export interface PluginFunction {
  inputs: Fields;
  outputs: readonly string[];
  invoke(args: Properties, call: Call): Promise<Properties>;
}

export interface Plugin {
  name: string;
  /** The SDK's version: what the engine asks for. */
  version: string;
  /** Provider configuration that is accepted. */
  config: Fields;
  /** Configuration that is secret whether or not the program says so. */
  secretConfig: readonly string[];
  configure(config: Properties): void;
  resources: Readonly<Record<string, Resource>>;
  functions: Readonly<Record<string, PluginFunction>>;
}
