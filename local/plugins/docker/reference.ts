/** An image name's parts. The domain is undefined when the name doesn't start with one (`library/image:tag`). */
export interface Reference {
  domain?: string;
  /** Domain and path, without tag. */
  repository: string;
}

/** The first part is a domain when it can't be anything else. Source: distribution/reference, normalize.go. */
export function parseReference(imageName: string): Reference {
  const tag = imageName.lastIndexOf(":");
  const repository = tag > imageName.lastIndexOf("/") ? imageName.slice(0, tag) : imageName;
  const first = repository.includes("/") ? repository.slice(0, repository.indexOf("/")) : "";
  const domain = /[.:]/.test(first) || first === "localhost" ? first : undefined;
  return { domain, repository };
}

/** The key of a registry in auth configurations: a host name, or Docker Hub's historical address. */
export function registryAddress(server: string | undefined, imageName: string): string {
  const host = server ? server.replace(/^https?:\/\//, "").split("/")[0] : parseReference(imageName).domain;
  if (host === undefined) {
    throw new Error(
      `${JSON.stringify(imageName)}: repository name must be canonical.\nThis resource requires all image names to be fully ` +
        "qualified.\nFor example, if you are attempting to push to Dockerhub, prefix your image name with `docker.io`:\n\n" +
        "`docker.io/repository/image:tag`",
    );
  }
  const hub = ["docker.io", "index.docker.io", "registry-1.docker.io"];
  return hub.includes(host) ? "https://index.docker.io/v1/" : host;
}
