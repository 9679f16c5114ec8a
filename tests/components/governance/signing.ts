import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** Settings for git that make it sign as somebody. */
export type As = string[];

/**
 * A temporary repository and people with real keys. Nothing of the machine's own git or GnuPG configuration plays a part. `using` removes it, and
 * ends the agent that GnuPG starts.
 */
export class Signing {
  readonly directory = mkdtempSync(path.join(tmpdir(), "signing-"));
  readonly repository: string;
  readonly allowedSigners = path.join(this.directory, "allowed_signers");
  readonly revokedSigners = path.join(this.directory, "revoked_signers");
  readonly keyring = path.join(this.directory, "keyring.asc");
  readonly #home = path.join(this.directory, "gnupg");

  /** @param repository one that exists; without it one is made */
  constructor(repository?: string) {
    this.repository = repository ?? path.join(this.directory, "repository");
    mkdirSync(this.#home, { mode: 0o700 });
    writeFileSync(this.allowedSigners, "");
    writeFileSync(this.revokedSigners, "");
    if (repository !== undefined) return;
    mkdirSync(path.join(this.repository, "policies/travel"), { recursive: true });
    writeFileSync(path.join(this.repository, "policies/travel/policy.rego"), "package auto_book\n");
    this.git("init", "--quiet", "--initial-branch=main");
    this.git("add", "--all");
  }

  /** A commit by an author. @param as who signs it; nobody by default. @returns its id */
  commit(author = "ada", as: As = []): string {
    appendFileSync(path.join(this.repository, "policies/travel/policy.rego"), `# ${Math.random()}\n`);
    this.git("add", "--all");
    const who = ["-c", `user.name=${author}`, "-c", `user.email=${author}@example.com`];
    this.git(...who, ...as, "commit", "--quiet", ...(as.length > 0 ? ["-S"] : []), "-m", `By ${author}`);
    return this.git("rev-parse", "HEAD").trim();
  }

  /** A new SSH key, trusted for NAME@example.com with the options given (ssh-keygen(1), ALLOWED SIGNERS). @returns settings to sign with */
  sshKey(name: string, { trusted = true, options = "" } = {}): As {
    const file = path.join(this.directory, `ssh-${name}`);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file]);
    const line = `${name}@example.com namespaces="git"${options} ${readFileSync(`${file}.pub`, "utf8")}`;
    if (trusted) appendFileSync(this.allowedSigners, line);
    return ["-c", "gpg.format=ssh", "-c", `user.signingkey=${file}.pub`];
  }

  revokeSsh(name: string): void {
    appendFileSync(this.revokedSigners, readFileSync(path.join(this.directory, `ssh-${name}.pub`), "utf8"));
  }

  /** A new OpenPGP key. @param expired whether it has expired since. @returns settings to sign with */
  gpgKey(name: string, { expired = false } = {}): As {
    const time = expired ? ["--faked-system-time", "20200101T000000"] : [];
    const user = `${name} <${name}@example.com>`;
    this.gpg(...time, "--passphrase", "", "--quick-gen-key", user, "ed25519", "sign", expired ? "30d" : "never");
    const program = path.join(this.directory, `gpg-${name}`);
    const then = expired ? "--faked-system-time 20200110T000000" : "";
    writeFileSync(program, `#!/bin/sh\nGNUPGHOME='${this.#home}' exec gpg ${then} "$@"\n`, { mode: 0o755 });
    return ["-c", "gpg.format=openpgp", "-c", `gpg.program=${program}`, "-c", `user.signingkey=${name}@example.com`];
  }

  revokeGpg(name: string): void {
    const listed = this.gpg("--with-colons", "--list-keys", `${name}@example.com`);
    const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(listed)?.[1];
    const certificate = path.join(this.#home, "openpgp-revocs.d", `${fingerprint}.rev`);
    // GnuPG puts a colon before the armour, against use by mistake.
    writeFileSync(certificate, readFileSync(certificate, "utf8").replace(":-----BEGIN", "-----BEGIN"));
    this.gpg("--import", certificate);
  }

  /** Writes the keyring file with these people's public keys. */
  trustGpg(...names: string[]): void {
    const people = names.map((name) => `${name}@example.com`);
    writeFileSync(this.keyring, this.gpg("--armor", "--export", ...people));
  }

  gpg(...parameters: string[]): string {
    const env = { ...process.env, GNUPGHOME: this.#home };
    return execFileSync("gpg", ["--batch", "--quiet", "--no-tty", ...parameters], {
      env,
      encoding: "utf8",
      stdio: "pipe",
    });
  }

  /** @param as settings to sign with; without them an annotated tag isn't signed */
  tag(name: string, commit: string, as: As, ...more: string[]): void {
    const who = ["-c", "user.name=tagger", "-c", "user.email=tagger@example.com"];
    this.git(...who, ...as, "tag", as.length > 0 ? "-s" : "-a", "-m", "A release", ...more, name, commit);
  }

  git(...parameters: string[]): string {
    return this.gitAt(undefined, ...parameters);
  }

  /** An environment in which git signs as somebody, and takes them for the user. */
  static environment(name: string, as: As): Record<string, string> {
    const settings = [`user.name=${name}`, `user.email=${name}@example.com`, ...as.filter((part) => part !== "-c")];
    const entries = settings.flatMap((setting, index) => {
      const at = setting.indexOf("=");
      return [
        [`GIT_CONFIG_KEY_${index}`, setting.slice(0, at)],
        [`GIT_CONFIG_VALUE_${index}`, setting.slice(at + 1)],
      ];
    });
    return { ...Object.fromEntries(entries), GIT_CONFIG_COUNT: String(settings.length) };
  }

  /** @param at what git takes for now */
  gitAt(at: string | undefined, ...parameters: string[]): string {
    const env = {
      ...process.env,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_SYSTEM: "/dev/null",
      ...(at === undefined ? {} : { GIT_COMMITTER_DATE: at, GIT_AUTHOR_DATE: at }),
    };
    return execFileSync("git", ["-C", this.repository, ...parameters], { env, encoding: "utf8", stdio: "pipe" });
  }

  [Symbol.dispose](): void {
    const env = { ...process.env, GNUPGHOME: this.#home };
    // Ends the agent of this home alone.
    execFileSync("gpgconf", ["--kill", "all"], { env, stdio: "ignore" });
    rmSync(this.directory, { recursive: true, force: true });
  }
}
