import { findOpa } from "../../../components/opa/binary.ts";
import { type Check, ok, problem } from "../check.ts";

/** Programs of this machine that a deployment uses. */
export const tools: Check = {
  name: "tools",
  cloud: false,
  look: async ({ run, environment }) => {
    const setup = "`npm run setup` brings it";
    const [git, docker, opa] = await Promise.all([
      run("git", "--version"),
      run("docker", "version", "--format", "{{.Server.Version}} ({{.Server.Os}}/{{.Server.Arch}})"),
      findOrNothing(environment).then((path) =>
        path === undefined ? { code: 127, output: "" } : run(path, "version"),
      ),
    ]);
    return [
      git.code === 0 ? ok(git.output.trim()) : problem("git doesn't run", "install git"),
      docker.code === 0
        ? ok(`Docker engine ${docker.output.trim()}`)
        : problem(`no Docker engine answers: ${firstLine(docker.output)}`, `start it; on Debian ${setup}`),
      opa.code === 0 ? ok(`OPA ${firstLine(opa.output).replace(/^Version: /, "")}`) : problem("no OPA", setup),
    ];
  },
};

async function findOrNothing(environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    return findOpa(environment);
  } catch {
    return undefined;
  }
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
