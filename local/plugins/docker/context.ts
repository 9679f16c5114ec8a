import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, realpathSync, type Stats } from "node:fs";
import { join, relative, resolve } from "node:path";
import dockerignore from "@balena/dockerignore";

/** A build context on disk. Paths are as the program gave them, relative to the project. */
export interface Context {
  directory: string;
  /** Relative to the project, not to the context. */
  dockerfile: string;
}

/** Patterns of `DOCKERFILE.dockerignore`, else of the context's .dockerignore, else none. */
export function ignorePatterns({ directory, dockerfile }: Context): string[] {
  for (const file of [`${dockerfile}.dockerignore`, join(directory, ".dockerignore")]) {
    try {
      return readFileSync(file, "utf8")
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "" && !line.startsWith("#"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return [];
}

/** Whether a path (relative to the context) is kept out of the build. */
export function ignoreFilter(patterns: readonly string[]): (path: string) => boolean {
  if (patterns.length === 0) return () => false;
  const matcher = dockerignore.default({ ignorecase: false }).add([...patterns]);
  return (path) => matcher.ignores(path);
}

/** The Dockerfile's path relative to the context: starts with ../ when it lies outside. */
export function relativeDockerfile({ directory, dockerfile }: Context): string {
  return relative(resolve(directory), resolve(dockerfile));
}

/**
 * A digest over what the build can see: names, modes and contents, in the order and form of the real plugin (its `contextDigest`), so
 * that a stack that changes plugins doesn't rebuild. Source: pulumi/pulumi-docker provider/provider.go, hashContext.
 */
export function contextDigest(context: Context): string {
  const digest = createHash("sha256");
  const add = (file: string, name: string, mode: string, link: boolean, regular: boolean) => {
    const content = createHash("sha256");
    if (link) content.update(realpathSync(file));
    else if (regular) content.update(readFileSync(file));
    digest.update(name).update(mode).update(content.digest()).update("\0");
  };
  add(context.dockerfile, "Dockerfile", "----------", false, true);
  const ignored = ignoreFilter(ignorePatterns(context));
  for (const path of files(context.directory, "", ignored)) {
    const file = join(context.directory, path);
    const stats = lstatSync(file);
    add(file, path, modeString(stats), stats.isSymbolicLink(), stats.isFile());
  }
  return digest.digest("hex");
}

/** Everything below a directory but directories and ignored files, in the order of a sorted walk. */
function files(root: string, directory: string, ignored: (path: string) => boolean): string[] {
  return readdirSync(join(root, directory), { withFileTypes: true })
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => {
      const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
      // An ignored directory is walked too: a later pattern may let something below it in again.
      if (entry.isDirectory()) return files(root, path, ignored);
      return ignored(path) ? [] : [path];
    });
}

/** As Go's fs.FileMode.String prints it, for files and links. */
function modeString({ mode }: Stats): string {
  const letters = [
    [0o120000, 0o170000, "L"],
    [0o4000, 0o4000, "u"],
    [0o2000, 0o2000, "g"],
    [0o1000, 0o1000, "t"],
  ] as const;
  const flags = letters.filter(([bits, mask]) => (mode & mask) === bits).map(([, , letter]) => letter);
  const permissions = [..."rwxrwxrwx"].map((letter, index) => (mode & (1 << (8 - index)) ? letter : "-"));
  return (flags.join("") || "-") + permissions.join("");
}
