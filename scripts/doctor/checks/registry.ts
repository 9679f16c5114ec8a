import { dockerDirectory, readDockerConfig } from "../../../components/attestation/docker-config.ts";
import { parseRepository } from "../../../components/platform/repository.ts";
import { type Check, type Finding, note, ok, problem, type Surroundings } from "../check.ts";

/** The image repository, whether Docker may push there, and the base image. */
export const registry: Check = {
  name: "registry",
  cloud: true,
  look: async (surroundings) =>
    (await Promise.all([repository(surroundings), pushAccess(surroundings), baseImage(surroundings)])).flat(),
};

async function repository({ google, config }: Surroundings): Promise<Finding[]> {
  const place = parseRepository(config.imageRepository);
  if (place === undefined)
    return [note(`${config.imageRepository} isn't in Artifact Registry: tags must be immutable there`)];
  const name = `projects/${place.project}/locations/${place.location}/repositories/${place.repository}`;
  const reply = await google.get("artifactregistry", `v1/${name}`);
  if (reply.status === 404 || reply.reason === "SERVICE_DISABLED") {
    return [note(`${name} isn't there yet; the first deployment makes it`)];
  }
  if (reply.status !== 200) {
    return [
      problem(
        `${name} can't be looked at: ${reply.message}`,
        "grant roles/artifactregistry.admin to the account that deploys",
      ),
    ];
  }
  const { immutableTags = false } = (reply.body.dockerConfig ?? {}) as { immutableTags?: boolean };
  if (reply.body.format !== "DOCKER")
    return [problem(`${name} holds ${reply.body.format}`, "set imageRepository to another one")];
  if (immutableTags) return [ok(`${name}, tags are immutable`)];
  return [
    note(
      `${name} exists, and its tags can be moved`,
      `\`pulumi up\` makes them immutable once the repository is the stack's: \`pulumi import gcp:artifactregistry/repository:Repository images ${name}\``,
    ),
  ];
}

/** What Docker's own configuration says of a registry. Nothing in it is shown. */
async function pushAccess({ config, environment }: Surroundings): Promise<Finding[]> {
  const [host = ""] = config.imageRepository.split("/");
  const directory = dockerDirectory(environment);
  try {
    const known = await readDockerConfig(directory);
    const knows = host in (known.auths ?? {}) || host in (known.credHelpers ?? {}) || known.credsStore !== undefined;
    if (knows) return [ok(`Docker has credentials for ${host}`)];
  } catch {
    return [problem(`${directory}/config.json isn't JSON`, "repair or remove it, then `gcloud auth configure-docker`")];
  }
  const fix = host.endsWith("-docker.pkg.dev") ? `gcloud auth configure-docker ${host}` : `docker login ${host}`;
  return [problem(`Docker has no credentials for ${host}`, fix)];
}

async function baseImage({ config, run }: Surroundings): Promise<Finding[]> {
  const { code, output } = await run("docker", "manifest", "inspect", config.baseImage);
  if (code === 0) return [ok(`base image ${config.baseImage} can be pulled`)];
  return [
    problem(
      `base image ${config.baseImage} can't be found: ${output.trim().split("\n")[0] ?? ""}`,
      "take the digest that `docker image inspect --format '{{index .RepoDigests 0}}'` prints after a pull",
    ),
  ];
}
