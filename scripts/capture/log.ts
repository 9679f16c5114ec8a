import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { Readable } from "node:stream";
import { UserError } from "../../components/errors.ts";
import { type LocalService, localLog } from "./local.ts";

/**
 * The lines of a log: a file's, those of standard input (`-`), or without either what serves on the local Cloud Run has logged.
 * @throws UserError when the file can't be read; what localLog throws
 */
export async function* logLines(from: string | undefined, local: LocalService): AsyncGenerator<string> {
  if (from === undefined) yield* createInterface({ input: Readable.from([await localLog(local)]) });
  else if (from === "-") yield* createInterface({ input: process.stdin });
  else yield* fileLines(resolve(from));
}

async function* fileLines(file: string): AsyncGenerator<string> {
  try {
    yield* createInterface({ input: createReadStream(file) });
  } catch (cause) {
    throw new UserError(`the log ${file} can't be read`, { cause });
  }
}
