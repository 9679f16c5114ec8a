/** Runs what reports to the console, and gives each line to `onLine` instead. */
export async function withConsole<T>(onLine: (line: string) => void, work: () => Promise<T>): Promise<T> {
  const { log } = console;
  console.log = (...values: unknown[]) => onLine(values.join(" "));
  try {
    return await work();
  } finally {
    console.log = log;
  }
}
