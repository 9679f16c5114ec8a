import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { dockerRequest } from "./docker-api.mjs";
import { record, recorded } from "./installed.mjs";
import { pinned } from "./layout.mjs";
import { opaForImage } from "./opa.mjs";
import { SetupProblem } from "./problem.mjs";
import { say } from "./report.mjs";
import { tarOf } from "./tar.mjs";

const repository = "flowpilot-opa-base";
const label = "flowpilot.opa-sha256";

/**
 * The image that policy images are made from on the local stack: OPA and nothing else. Imported rather than built, which needs
 * neither a builder nor another image, and is told from an outdated one by the checksum of its OPA, a label.
 */
export async function baseImage() {
  const image = `${repository}:${pinned.opa}`;
  const program = await opaForImage();
  const sum = checksum(program);
  const present = await dockerRequest("GET", `/images/${image}/json`);
  if (present.status === 200 && JSON.parse(present.text).Config?.Labels?.[label] === sum) return;
  const query = new URLSearchParams({ fromSrc: "-", repo: repository, tag: pinned.opa });
  for (const change of ['ENTRYPOINT ["/opa"]', "USER 1000:1000", `LABEL ${label}=${sum}`])
    query.append("changes", change);
  const answer = await dockerRequest("POST", `/images/create?${query}`, {
    body: tarOf("opa", readFileSync(program), statSync(program).mtimeMs),
    seconds: 120,
  });
  // Errors of an import come inside a successful answer.
  if (answer.status !== 200 || answer.text.includes('"error"')) {
    throw new SetupProblem(
      `The Docker engine refused the base image ${image} (${answer.status}): ${answer.text.trim().slice(0, 300)}`,
      "Look at `docker info` and the free space of its disk; then run this again.",
    );
  }
  say("base image", `${image} made`);
}

/** Kept with the program's size and time: 43 MB take longer to hash than the rest of a second run. */
function checksum(program) {
  const known = recorded("base image", program)?.sha256;
  if (known !== undefined) return known;
  const sha256 = createHash("sha256").update(readFileSync(program)).digest("hex");
  record("base image", program, { sha256 });
  return sha256;
}
