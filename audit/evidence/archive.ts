import { createReadStream, createWriteStream } from "node:fs";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { extract, pack } from "tar-stream";

/** Files of an archive, by path. */
export type Files = Map<string, Buffer>;

/** What an archive may unpack to, bytes: a few thousand states fit, an endless one doesn't. */
const LIMIT = 2 * 1024 ** 3;

/** Writes a .tar.gz. The same files give the same bytes: sorted, all of one time. */
export async function writeArchive(file: string, files: Files, time: Date): Promise<void> {
  const tar = pack();
  const written = pipeline(tar, createGzip({ level: 9 }), createWriteStream(file));
  for (const [name, content] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    tar.entry({ name, mtime: time, mode: 0o644, uid: 0, gid: 0 }, content);
  }
  tar.finalize();
  await written;
}

/** Reads a .tar.gz into memory; nothing is written to the disk. @throws an Error for two files of one name, links, and what is too large */
export async function readArchive(file: string): Promise<Files> {
  const files: Files = new Map();
  let size = 0;
  const unpacked = extract();
  const reading = pipeline(createReadStream(file), createGunzip(), unpacked);
  reading.catch(() => undefined);
  for await (const entry of unpacked) {
    const { name, type } = entry.header;
    size += entry.header.size ?? 0;
    if (type !== "file") throw new Error(`${file} holds ${JSON.stringify(name)}, a ${type}; only files are expected`);
    if (files.has(name)) throw new Error(`${file} holds ${JSON.stringify(name)} twice`);
    if (size > LIMIT) throw new Error(`${file} unpacks to more than ${LIMIT} bytes`);
    files.set(name, await buffer(entry));
  }
  await reading;
  return files;
}
