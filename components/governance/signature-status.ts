/** Who made a signature, as the trusted keys say; never what the signed text says. */
export interface Signer {
  method: "gpg" | "ssh";
  /** Fingerprint of the key: 40 hex digits (primary key), or SHA256:… */
  key: string;
  /** E-mail addresses, lower case, that the trusted keys give to this key. */
  emails: string[];
}

/** What gpg said: the fingerprint of the primary key, or why the signature doesn't count. */
export type GpgStatus = { fingerprint: string } | { problem: string };

/**
 * Judges gpg's machine-readable lines (`--status-fd`, doc/DETAILS in GnuPG), as `git verify-tag --raw` passes them on. Only one good signature by one
 * key that is neither expired nor revoked counts.
 */
export function judgeGpgStatus(output: string): GpgStatus {
  const lines = output
    .split("\n")
    .filter((line) => line.startsWith("[GNUPG:] "))
    .map((line) => line.slice("[GNUPG:] ".length).split(" "));
  const first = (keyword: string) => lines.find(([name]) => name === keyword);
  const who = (line: string[]) => line.slice(1).join(" ");

  const unknown = first("NO_PUBKEY");
  if (unknown !== undefined) return { problem: `unknown key: ${unknown[1]} is not in the keyring` };
  const revoked = first("REVKEYSIG");
  if (revoked !== undefined) return { problem: `revoked key: ${who(revoked)}` };
  const expired = first("EXPKEYSIG");
  if (expired !== undefined) return { problem: `expired key: ${who(expired)}` };
  const late = first("EXPSIG");
  if (late !== undefined) return { problem: `expired signature by ${who(late)}` };
  const bad = first("BADSIG");
  if (bad !== undefined) return { problem: `bad signature: the content was changed after ${who(bad)} signed it` };
  const failed = first("ERRSIG");
  if (failed !== undefined) return { problem: `signature that gpg can't check (key ${failed[1]}, code ${failed[6]})` };

  const good = lines.filter(([name]) => name === "GOODSIG");
  const valid = lines.filter(([name]) => name === "VALIDSIG");
  if (good.length !== 1 || valid.length !== 1) return { problem: "no single good signature" };
  // The last field is the primary key's fingerprint; the first may be a subkey's.
  const fingerprint = valid[0]?.[10] ?? valid[0]?.[1] ?? "";
  return /^[0-9A-F]{40,64}$/.test(fingerprint) ? { fingerprint } : { problem: "no fingerprint in gpg's answer" };
}

/** The e-mail addresses of a key by `gpg --with-colons --list-keys` (doc/DETAILS), without revoked, expired or invalid user ids. */
export function emailsOfKey(colons: string): string[] {
  return colons
    .split("\n")
    .map((line) => line.split(":"))
    .filter(([type, validity = ""]) => type === "uid" && !/^[rein]/.test(validity))
    .map((fields) => emailOf(unescapeColons(fields[9] ?? "")))
    .filter((email) => email !== "");
}

/** `Ada <ada@example.com>` or a plain address; anything else is "". */
function emailOf(userId: string): string {
  const address = /<([^<>]+)>\s*$/.exec(userId)?.[1] ?? userId;
  return /^[^\s@<>]+@[^\s@<>]+$/.test(address) ? address.toLowerCase() : "";
}

function unescapeColons(text: string): string {
  return text.replaceAll(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** The key's fingerprint in what ssh-keygen says of a signature that fits its content. */
export function sshFingerprint(output: string): string | undefined {
  return /^Good "[^"]*" signature (?:for .* )?with \S+ key (SHA256:[A-Za-z0-9+/]+)$/m.exec(output)?.[1];
}
