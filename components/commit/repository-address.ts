/** `https://host/owner/name` of a git remote, in any of its usual forms; undefined for anything else. Credentials in it are left out. */
export function repositoryAddress(remote: string): string | undefined {
  const scp = /^(?:[\w.-]+@)?([\w.-]+):(?!\/)([\w./~-]+)$/.exec(remote);
  const address = scp === null ? remote.replace(/^ssh:/, "https:") : `https://${scp[1]}/${scp[2]}`;
  if (!URL.canParse(address)) return undefined;
  const { hostname, pathname, protocol } = new URL(address);
  if (protocol !== "https:" && protocol !== "http:") return undefined;
  return `${protocol}//${hostname}${pathname.replace(/\.git\/?$|\/+$/, "")}`;
}
