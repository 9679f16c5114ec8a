import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { State } from "./model.ts";
import { INSTANCE_LABEL } from "./runtime/container-spec.ts";

/** Finished operations that are kept, newest first to stay. */
const KEPT_OPERATIONS = 50;

/** The state of one local Cloud Run: held in memory, kept in one file. */
export class Store {
  readonly state: State;
  readonly #file: string;
  readonly #waiting: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  #isWriting = false;

  private constructor(file: string, state: State) {
    this.#file = file;
    this.state = state;
  }

  /** Reads the state in `directory`, or begins a new one there. Throws when the file can't be read as a state. */
  static async open(directory: string): Promise<Store> {
    await mkdir(directory, { recursive: true });
    const file = join(directory, "state.json");
    const store = new Store(file, (await readState(file)) ?? emptyState());
    await store.save();
    return store;
  }

  /** The instance id of the state in `directory`, or undefined when there is no state. Reads only. */
  static async readInstance(directory: string): Promise<string | undefined> {
    return (await readState(join(directory, "state.json")))?.instance;
  }

  /** Resolves when a state at least as new as the one at the time of the call is on disk. Rejects when it can't be written. */
  save(): Promise<void> {
    const saved = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    if (!this.#isWriting) void this.#writeAll();
    return saved;
  }

  /** One write at a time; everybody who asks during one shares the next. */
  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        await this.#write();
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isWriting = false;
  }

  async #write(): Promise<void> {
    this.#forgetOldOperations();
    const temporary = `${this.#file}.tmp`;
    const handle = await open(temporary, "w", 0o600);
    try {
      await handle.writeFile(textOf(this.state));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, this.#file);
    await syncDirectory(join(this.#file, ".."));
  }

  #forgetOldOperations(): void {
    const finished = Object.entries(this.state.operations).filter(([, stored]) => stored.operation.done === true);
    for (const [name] of finished.slice(0, Math.max(0, finished.length - KEPT_OPERATIONS)))
      delete this.state.operations[name];
  }
}

/** Without the services and revisions that operations answer with: requests wait while the state is put into text, and those would be most of it. */
function textOf(state: State): string {
  const operations = Object.entries(state.operations).map(([name, stored]) => {
    const { metadata: _metadata, response: _response, ...operation } = stored.operation;
    return [name, { ...stored, operation }];
  });
  return JSON.stringify({ ...state, operations: Object.fromEntries(operations) });
}

/** A rename is durable once its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function emptyState(): State {
  return { version: 1, instance: randomBytes(6).toString("hex"), services: {}, operations: {} };
}

async function readState(file: string): Promise<State | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const state = JSON.parse(text) as State;
    if (state.version !== 1) throw new Error(`version ${String(state.version)} was found, 1 is known`);
    return state;
  } catch (cause) {
    throw new Error(
      `The state of the local Cloud Run in ${file} can't be read: ${(cause as Error).message}. Restore the file, or remove it to start over; the containers of what it held stay (docker ps --all --filter label=${INSTANCE_LABEL}).`,
      { cause },
    );
  }
}
