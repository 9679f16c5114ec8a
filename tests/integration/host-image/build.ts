import { execFile } from "node:child_process";
import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { configSchema } from "../../../components/config.ts";

const run = promisify(execFile);

/** Builds a base image whose policies see the host name that was asked (proxy.ts), with this machine's own Node and the libraries it is linked to. */
export async function buildHostImage(name: string): Promise<void> {
  const context = await mkdtemp(path.join(tmpdir(), "flowpilot-host-image-"));
  try {
    const root = path.join(context, "root");
    await mkdir(root);
    await copyFile(process.execPath, path.join(root, "node"));
    for (const library of await libraries(process.execPath)) {
      await cp(library, path.join(root, library), { recursive: true, dereference: true });
    }
    // Node runs TypeScript; without a package.json beside it the name says that it is a module.
    await copyFile(path.join(import.meta.dirname, "proxy.ts"), path.join(root, "proxy.mts"));
    // OPA is its entry point.
    const base = configSchema.shape.baseImage.parse(undefined);
    const dockerfile = `FROM ${base}\nCOPY root /\nENTRYPOINT ["/node", "/proxy.mts"]\n`;
    await writeFile(path.join(context, "Dockerfile"), dockerfile);
    await run("docker", ["build", "--quiet", "--tag", name, context]);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** The shared libraries of a program, and what loads them. */
async function libraries(program: string): Promise<string[]> {
  const { stdout } = await run("ldd", [program]);
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file as string);
}
