/** By Docker's rule the first part of a name is a registry when it has a dot or a colon, or is localhost. */
export function isRegistryPath(repository: string): boolean {
  const [first = "", ...rest] = repository.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
}
