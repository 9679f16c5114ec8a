/** `flowpilot-opa` of `projects/p/locations/l/services/flowpilot-opa`. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
