/**
 * A resource's outputs as Pulumi can keep them: plain JSON. Its protocol has no `undefined`, and refuses a whole resource that holds one.
 */
export function plain<T>(outputs: T): T {
  return JSON.parse(JSON.stringify(outputs)) as T;
}
