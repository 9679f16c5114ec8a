import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { extract } from "tar-stream";
import { sha256 } from "../sha256.ts";
import type { SbomContent } from "./sbom.ts";

/** The digests of a bundle and of every file in it, sorted by path. */
export async function readBundle(file: string): Promise<SbomContent["bundle"]> {
  const content = await readFile(file);
  const archive = extract();
  archive.end(gunzipSync(content));
  const files: SbomContent["bundle"]["files"] = [];
  for await (const entry of archive) {
    const bytes = await buffer(entry);
    if (entry.header.type === "file") files.push({ path: entry.header.name, sha256: sha256(bytes) });
  }
  return { sha256: sha256(content), files: files.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}
