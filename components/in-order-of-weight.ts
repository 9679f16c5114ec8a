/**
 * Waits for work that runs at the same time, and of several failures throws the first in the given order, not in time: what is wrong with the policies
 * explains why they can't be built, and not the other way round.
 */
export async function inOrderOfWeight<T extends unknown[]>(
  work: { [Index in keyof T]: Promise<T[Index]> },
): Promise<T> {
  const settled = await Promise.allSettled(work);
  for (const result of settled) {
    if (result.status === "rejected") throw result.reason;
  }
  return settled.map((result) => (result as PromiseFulfilledResult<unknown>).value) as T;
}
