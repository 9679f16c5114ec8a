import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { baseImage } from "./base-image.mjs";
import { stopCommands } from "./command.mjs";
import { docker } from "./docker.mjs";
import { logs, processor, system, unfinished } from "./layout.mjs";
import { lock } from "./lock.mjs";
import { node } from "./node.mjs";
import { npmPackages } from "./npm-packages.mjs";
import { opa } from "./opa.mjs";
import { plugins } from "./plugins.mjs";
import { SetupProblem } from "./problem.mjs";
import { pulumi } from "./pulumi.mjs";
import { say } from "./report.mjs";

/**
 * Runs all steps, side by side where they don't need each other. What is in place is left alone.
 * @returns {Promise<number>} the exit code
 */
export async function setUp({ again }) {
  if (!["linux", "darwin"].includes(system) || !["x64", "arm64"].includes(processor)) {
    return fail(
      "set-up",
      new SetupProblem(`${system} ${processor} is not supported.`, "Use Linux or macOS, on x64 or arm64."),
    );
  }
  let unlock = () => {};
  const stop = (signal) => {
    stopCommands();
    unlock();
    console.error(`Set-up stopped by ${signal}. What is finished stays; run it again to go on.`);
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, stop);
  let step = "set-up";
  let steps = [];
  try {
    unlock = await lock((pid) => say("set-up", `another set-up runs (process ${pid}); waiting for it`));
    rmSync(unfinished, { recursive: true, force: true });
    const named = (name, work) =>
      work().catch((error) => {
        // The first problem is the one to show: stopping the other steps makes them fail too.
        if (step === "set-up") step = name;
        throw error;
      });
    const packages = named("npm packages", npmPackages).then(() => named("node", node));
    const dockerd = named("docker", docker);
    // One after the other: each build alone uses all cores.
    const opaBinary = named("opa", opa);
    const engine = opaBinary.then(() => named("pulumi", pulumi));
    const image = Promise.all([opaBinary, dockerd]).then(() => named("base image", baseImage));
    const pluginFiles = engine.then(() => named("plugins", () => plugins(again)));
    steps = [packages, image, pluginFiles];
    await Promise.all(steps);
    return 0;
  } catch (error) {
    stopCommands();
    // The lock is held until nothing of this set-up runs.
    await Promise.allSettled(steps);
    return fail(step, error);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
    unlock();
  }
}

function fail(step, error) {
  console.error(`\nSet-up stopped at "${step}": ${error.message}`);
  if (error instanceof SetupProblem) {
    console.error(`What to do: ${error.next}`);
  } else {
    mkdirSync(logs, { recursive: true });
    const log = path.join(logs, "setup-error.log");
    appendFileSync(log, `${error.stack}\n`);
    console.error(`What to do: run it again; if it stops at the same place, ${log} has the details.`);
  }
  return 1;
}
