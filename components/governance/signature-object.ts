import { type Ended, runTool, type ToolOptions } from "./signature-tool.ts";

/** An annotated tag or a commit, as git holds it, taken apart. */
export interface SignedObject {
  /** Object id. */
  id: string;
  kind: "tag" | "commit";
  /** What the signature covers. */
  payload: string;
  /** Armoured; "" when it isn't signed. */
  signature: string;
  /** Header lines of the payload by name. */
  headers: Record<string, string>;
  /** Of the payload, without the signature. */
  message: string;
}

export type SignatureFormat = "gpg" | "ssh" | "other" | "none";

/** Runs git in a repository; objects are what their ids say, whatever replacements somebody declared. */
export function git(root: string, parameters: string[], options: Omit<ToolOptions, "cwd"> = {}): Promise<Ended> {
  return runTool("git", ["-C", root, ...parameters], options);
}

/** Reads an object. @param id of a tag or commit object */
export async function readObject(root: string, id: string, kind: "tag" | "commit"): Promise<SignedObject> {
  const { code, stdout, stderr } = await git(root, ["cat-file", kind, id]);
  if (code !== 0) throw new Error(`git can't read ${kind} ${id}: ${stderr.trim()}`);
  return parseObject(id, kind, stdout);
}

/** The pure part of readObject. Sources: git's own description in Documentation/technical/signature-format. */
export function parseObject(id: string, kind: "tag" | "commit", text: string): SignedObject {
  const { payload, signature } = kind === "tag" ? splitTag(text) : splitCommit(text);
  const end = payload.indexOf("\n\n");
  const head = end < 0 ? payload : payload.slice(0, end);
  const headers: Record<string, string> = {};
  for (const line of head.split("\n")) {
    const [name = "", ...value] = line.split(" ");
    // The first counts: git writes each of those that are read here once.
    if (name !== "" && headers[name] === undefined) headers[name] = value.join(" ");
  }
  return { id, kind, payload, signature, headers, message: end < 0 ? "" : payload.slice(end + 2) };
}

/** A tag's signature is the end of its text, from the last line that begins one. */
function splitTag(text: string): { payload: string; signature: string } {
  const starts = [...text.matchAll(/^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----$/gm)];
  const at = starts.at(-1)?.index;
  return at === undefined
    ? { payload: text, signature: "" }
    : { payload: text.slice(0, at), signature: text.slice(at) };
}

/** A commit's signature is a header of its own, its further lines indented by a space. */
function splitCommit(text: string): { payload: string; signature: string } {
  const end = text.indexOf("\n\n");
  const kept: string[] = [];
  const signature: string[] = [];
  let inside = false;
  for (const line of text.slice(0, end < 0 ? text.length : end).split("\n")) {
    if (line.startsWith("gpgsig ") || line.startsWith("gpgsig-sha256 ")) {
      inside = true;
      if (line.startsWith("gpgsig ")) signature.push(line.slice("gpgsig ".length));
    } else if (inside && line.startsWith(" ")) signature.push(line.slice(1));
    else {
      inside = false;
      kept.push(line);
    }
  }
  const payload = kept.join("\n") + (end < 0 ? "" : text.slice(end));
  return { payload, signature: signature.length === 0 ? "" : `${signature.join("\n")}\n` };
}

export function formatOf({ signature }: Pick<SignedObject, "signature">): SignatureFormat {
  if (signature === "") return "none";
  if (/^-----BEGIN PGP (SIGNATURE|MESSAGE)-----/.test(signature)) return "gpg";
  return signature.startsWith("-----BEGIN SSH SIGNATURE-----") ? "ssh" : "other";
}

/** When a tag says it was made; undefined when it doesn't. Of a signed tag this is part of what was signed. */
export function taggedAt({ headers }: Pick<SignedObject, "headers">): Date | undefined {
  const seconds = / (\d{1,12}) [+-]\d{4}$/.exec(headers.tagger ?? "")?.[1];
  return seconds === undefined ? undefined : new Date(Number(seconds) * 1000);
}
