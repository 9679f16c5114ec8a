import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { TrustedKeys } from "./signature-keys.ts";
import { formatOf, git, type SignedObject } from "./signature-object.ts";
import { emailsOfKey, judgeGpgStatus, type Signer, sshFingerprint } from "./signature-status.ts";
import { runTool } from "./signature-tool.ts";

/** Who signed, or why the signature doesn't count. */
export type Verified = { signer: Signer } | { problem: string };

/** Checks the signature of a tag or commit object against the trusted keys, as of now. */
export async function verifyObject(root: string, object: SignedObject, keys: TrustedKeys): Promise<Verified> {
  switch (formatOf(object)) {
    case "none":
      return { problem: "not signed" };
    case "gpg":
      return keys.gnupgHome === undefined
        ? { problem: "signed with OpenPGP, and the configuration has no `keyring`" }
        : verifyGpg(root, object, keys.gnupgHome);
    case "ssh":
      return keys.allowedSigners === undefined
        ? { problem: "signed with SSH, and the configuration has no `allowedSigners`" }
        : verifySsh(root, object, keys, keys.allowedSigners);
    case "other":
      return { problem: "signed in a format that isn't supported; use OpenPGP or SSH" };
  }
}

/** The repository's own configuration must not choose the programs or the keys. */
function verifyCommand({ kind, id }: SignedObject, settings: string[]): string[] {
  const all = [
    "gpg.program=gpg",
    "gpg.openpgp.program=gpg",
    "gpg.ssh.program=ssh-keygen",
    "gpg.minTrustLevel=undefined",
    ...settings,
  ];
  return [...all.flatMap((setting) => ["-c", setting]), `verify-${kind}`, "--raw", id];
}

async function verifyGpg(root: string, object: SignedObject, home: string): Promise<Verified> {
  const environment = { GNUPGHOME: home };
  const { code, stderr } = await git(root, verifyCommand(object, []), { environment });
  const status = judgeGpgStatus(stderr);
  if ("problem" in status) return status;
  if (code !== 0) return { problem: "signature that git doesn't accept" };
  const listed = await runTool("gpg", ["--batch", "--with-colons", "--list-keys", status.fingerprint], { environment });
  return { signer: { method: "gpg", key: status.fingerprint, emails: emailsOfKey(listed.stdout) } };
}

/**
 * git checks an SSH signature as of the time that the tag claims, which its maker chooses: with a key that has expired since, one could date
 * it back. So the key has to be valid now too.
 */
async function verifySsh(root: string, object: SignedObject, keys: TrustedKeys, allowed: string): Promise<Verified> {
  const file = path.join(keys.directory, `${randomUUID()}.sig`);
  await writeFile(file, object.signature);
  const keygen = (action: string, ...more: string[]) =>
    runTool("ssh-keygen", ["-Y", action, "-s", file, ...more], { input: object.payload });

  const fits = await keygen("check-novalidate", "-n", "git");
  const key = fits.code === 0 ? sshFingerprint(fits.stdout) : undefined;
  if (key === undefined) return { problem: "bad signature: it doesn't fit the content" };
  const found = await keygen("find-principals", "-f", allowed);
  if (found.code !== 0) return { problem: describeUnknown(key, found.stderr) };

  const revocations = keys.revokedSigners === undefined ? [] : ["-r", keys.revokedSigners];
  const principals = found.stdout
    .split(/[\n,]/)
    .map((name) => name.trim())
    .filter(Boolean);
  const verify = (principal: string, more: string[]) =>
    keygen("verify", "-n", "git", "-f", allowed, "-I", principal, ...more);
  const verified: string[] = [];
  for (const principal of new Set(principals)) {
    if ((await verify(principal, revocations)).code === 0) verified.push(principal.toLowerCase());
  }
  if (verified.length === 0) {
    const otherwise = revocations.length > 0 && (await verify(principals[0] ?? "", [])).code === 0;
    return {
      problem: otherwise
        ? `revoked key: ${key} (${principals.join(", ")})`
        : `key ${key} that is not allowed to sign for git`,
    };
  }
  const settings = [`gpg.ssh.allowedSignersFile=${allowed}`, `gpg.ssh.revocationFile=${keys.revokedSigners ?? ""}`];
  const { code } = await git(root, verifyCommand(object, settings));
  if (code !== 0) return { problem: `key ${key} that wasn't valid when it signed` };
  return { signer: { method: "ssh", key, emails: verified } };
}

function describeUnknown(key: string, stderr: string): string {
  if (/key has expired/.test(stderr)) return `expired key: ${key}`;
  if (/not yet valid/.test(stderr)) return `key ${key} that isn't valid yet`;
  return `unknown key: ${key} is not in the allowed signers`;
}
