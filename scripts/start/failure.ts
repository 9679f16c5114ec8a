/** Ends with what went wrong and what to do, and no stack trace. */
export function fail(what: string, next: string, code: number): never {
  console.error(`\n${what.trim()}\nWhat to do: ${next}`);
  process.exit(code);
}
