import { access, constants, mkdtemp, realpath, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Config } from "../config.ts";
import { messageOf, UserError } from "../errors.ts";
import { runTool } from "./signature-tool.ts";

export type KeyFiles = Pick<Config, "keyring" | "allowedSigners" | "revokedSigners">;

/**
 * The keys that count, opened for checking: files named by the configuration, and a temporary GnuPG home that holds the keyring alone. The user's own
 * keys never count. `await using` removes it.
 */
export class TrustedKeys {
  /** Temporary GNUPGHOME; undefined without a keyring. */
  readonly gnupgHome: string | undefined;
  readonly allowedSigners: string | undefined;
  readonly revokedSigners: string | undefined;
  /** For small files of one check. */
  readonly directory: string;

  private constructor(directory: string, gnupgHome: string | undefined, files: KeyFiles) {
    this.directory = directory;
    this.gnupgHome = gnupgHome;
    this.allowedSigners = files.allowedSigners;
    this.revokedSigners = files.revokedSigners;
  }

  /**
   * @param repository top of the work tree that is deployed from: no key file may lie in it, for whoever changes a policy could change it too.
   * @throws UserError that names every problem of the files.
   */
  static async open(files: KeyFiles, repository: string): Promise<TrustedKeys> {
    const given = Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const found = (await Promise.all(given.map(([key, file]) => problemOf(key, file, repository)))).flat();
    if (found.length > 0) {
      throw new UserError(["the trusted keys can't be used:", ...found.map((problem) => `  - ${problem}`)].join("\n"));
    }
    const directory = await mkdtemp(path.join(tmpdir(), "flowpilot-keys-"));
    const absolute = Object.fromEntries(given.map(([key, file]) => [key, path.resolve(file)])) as KeyFiles;
    try {
      const home = absolute.keyring === undefined ? undefined : await importKeyring(absolute.keyring, directory);
      return new TrustedKeys(directory, home, absolute);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function problemOf(key: string, file: string, repository: string): Promise<string[]> {
  const absolute = path.resolve(file);
  const root = await realpath(repository);
  try {
    await access(absolute, constants.R_OK);
    const real = await realpath(absolute);
    // Both names count: a link in the work tree that leads out of it is chosen by the commit as well.
    for (const name of [path.join(await realpath(path.dirname(absolute)), path.basename(absolute)), real, absolute]) {
      if (isInside(name, root)) {
        return [
          `${key}: "${file}" lies in the repository that is deployed (${root}); whoever changes a policy could change it too. Keep it outside, for example in /etc/flowpilot`,
        ];
      }
    }
    const { mode } = await stat(real);
    if (!(await stat(real)).isFile()) return [`${key}: "${file}" is not a file`];
    if ((mode & 0o002) !== 0) return [`${key}: anybody may write to "${file}"; \`chmod o-w ${real}\``];
    return [];
  } catch (error) {
    return [`${key}: "${file}" can't be read (${messageOf(error)})`];
  }
}

function isInside(file: string, directory: string): boolean {
  const relative = path.relative(directory, file);
  return relative === "" || (!relative.startsWith(`..${path.sep}`) && relative !== ".." && !path.isAbsolute(relative));
}

/** No agent, no network, no other keyring; the keys in the file are trusted because the configuration names it. */
const GPG_CONFIG = [
  "trust-model always",
  "no-autostart",
  "no-auto-key-retrieve",
  "no-auto-key-import",
  "weak-digest SHA1",
];

async function importKeyring(file: string, directory: string): Promise<string> {
  // mkdtemp has made the directory for this user alone, as gpg wants it.
  await writeFile(path.join(directory, "gpg.conf"), `${GPG_CONFIG.join("\n")}\n`);
  const environment = { GNUPGHOME: directory };
  const { code, stderr } = await runTool("gpg", ["--batch", "--quiet", "--import", file], { environment });
  const { stdout } = await runTool("gpg", ["--batch", "--with-colons", "--list-keys"], { environment });
  if (!/^pub:/m.test(stdout)) {
    throw new UserError(
      `the trusted keys can't be used:\n  - keyring: "${file}" holds no OpenPGP public key (gpg: ${stderr.trim() || `exit code ${code}`})`,
    );
  }
  return directory;
}
