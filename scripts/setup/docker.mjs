import { existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run, startDetached } from "./command.mjs";
import { dockerAddress, dockerProblem } from "./docker-api.mjs";
import { logs, system } from "./layout.mjs";
import { SetupProblem } from "./problem.mjs";
import { say, timed } from "./report.mjs";
import { onPath } from "./search-path.mjs";

const startSeconds = 60;
const install =
  "Install Docker (https://docs.docker.com/engine/install) and start it, so that `docker version` answers; then run this again.";

/** Makes sure that a Docker engine answers: one that runs, else Debian's docker.io, installed and started where we may. */
export async function docker() {
  const problem = await dockerProblem();
  if (problem === undefined) return;
  if (problem.code === "EACCES") {
    throw new SetupProblem(
      `This user may not speak to the Docker engine (${dockerAddress().socketPath}: permission denied).`,
      'Run `sudo usermod -aG docker "$USER"`, log in again, and run this again.',
    );
  }
  if ((process.env.DOCKER_HOST ?? "") !== "") {
    throw new SetupProblem(
      `No Docker engine answers at DOCKER_HOST=${process.env.DOCKER_HOST} (${problem.code ?? problem.message}).`,
      "Start it, or unset DOCKER_HOST to use this machine's Docker engine.",
    );
  }
  const asRoot = await rootPrefix();
  if (system !== "linux" || asRoot === undefined) {
    throw new SetupProblem(`No Docker engine answers (${problem.code ?? problem.message}).`, install);
  }
  if (onDisk("dockerd") === undefined) await installDocker(asRoot);
  // Where systemd runs, the package has started it.
  if ((await dockerProblem()) !== undefined) await startDocker(asRoot);
}

async function installDocker(asRoot) {
  if (onPath("apt-get") === undefined) throw new SetupProblem("No Docker engine is installed.", install);
  await timed("docker", "installing Debian's docker.io", async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const patient = ["-o", "DPkg::Lock::Timeout=300"];
    // Completes what an interrupted installation has left half-done; does nothing otherwise.
    const [repair, ...repairing] = [...asRoot, "dpkg", "--configure", "-a"];
    await run("dpkg-configure", repair, repairing, { env });
    for (const parameters of [["update"], ["install", "-y", "--no-install-recommends", "docker.io"]]) {
      const [command, ...rest] = [...asRoot, "apt-get", ...patient, ...parameters];
      const { code, shown, log } = await run(`apt-get-${parameters[0]}`, command, rest, { env });
      // An update that fails for one of several sources may be enough; the install tells.
      if (code === 0 || parameters[0] === "update") continue;
      throw new SetupProblem(`apt-get install docker.io failed:\n${shown}`, `See ${log}. ${install}`);
    }
  });
}

async function startDocker(asRoot) {
  await timed("docker", "starting the Docker engine", async () => {
    const log = path.join(logs, "dockerd.log");
    if (existsSync("/run/systemd/system")) {
      const [command, ...rest] = [...asRoot, "systemctl", "start", "docker"];
      await run("systemctl-start-docker", command, rest);
    } else if (!isStarting()) {
      mkdirSync(logs, { recursive: true });
      const [command, ...rest] = [...asRoot, "dockerd"];
      startDetached(command, rest, openSync(log, "a"));
    }
    const deadline = Date.now() + startSeconds * 1000;
    for (;;) {
      const problem = await dockerProblem();
      if (problem === undefined) return;
      if (problem.code === "EACCES") return docker();
      if (Date.now() > deadline) {
        throw new SetupProblem(
          `The Docker engine doesn't answer ${startSeconds} s after its start (${problem.code ?? problem.message}).\n${tail(log)}`,
          `See ${log} and \`dockerd --debug\`. A container needs --privileged for an engine of its own.`,
        );
      }
      await sleep(200);
    }
  });
  say("docker", "the engine keeps running after this");
}

/** @returns {Promise<string[] | undefined>} what to put before a command that needs root; undefined when that needs a password */
async function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  if (onPath("sudo") === undefined) return undefined;
  const { code } = await run("sudo", "sudo", ["-n", "true"], { seconds: 10 });
  return code === 0 ? ["sudo", "-n"] : undefined;
}

/** dockerd sits in sbin, which a user's PATH often lacks. */
function onDisk(name) {
  return (
    onPath(name) ?? ["/usr/sbin", "/usr/local/sbin", "/sbin"].map((folder) => path.join(folder, name)).find(existsSync)
  );
}

function isStarting() {
  try {
    const pid = Number(readFileSync("/var/run/docker.pid", "utf8"));
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "dockerd";
  } catch {
    return false;
  }
}

function tail(file) {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n").slice(-5);
  return lines.map((line) => `    ${line}`).join("\n");
}
