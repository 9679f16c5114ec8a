/** What was found at one point of a matrix. */
interface Tried {
  problems: string[];
}

/**
 * Tries one point after the other, prints a line for each with its problems below, and sets the exit code.
 * @param describe the line @returns all results, and how many of them are not as promised
 */
export async function runPoints<P, R extends Tried>(
  points: P[],
  attempt: (point: P) => Promise<R>,
  describe: (result: R) => string,
): Promise<{ results: R[]; failed: number }> {
  const results: R[] = [];
  for (const point of points) {
    const result = await attempt(point);
    results.push(result);
    console.log(`${result.problems.length === 0 ? "ok  " : "FAIL"} ${describe(result)}`);
    for (const problem of result.problems) console.log(`       ${problem.replaceAll("\n", "\n       ")}`);
  }
  const failed = results.filter(({ problems }) => problems.length > 0).length;
  process.exitCode = failed === 0 ? 0 : 1;
  return { results, failed };
}
