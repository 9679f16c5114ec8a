/** One line of the engine's reply to a build or a push. */
export interface Progress {
  stream?: string;
  status?: string;
  id?: string;
  progress?: string;
  error?: string;
  errorDetail?: { code?: number; message?: string };
  aux?: { ID?: string; Digest?: string };
}

/** What a build or push came to: the id of the image built, the digest of the manifest pushed. */
export interface Result {
  id?: string;
  digest?: string;
}

/**
 * Follows a build or push, hands each line to `report`, and fails with the engine's message and, for a build, the step it failed at.
 */
export async function follow(stream: AsyncIterable<Buffer | string>, report: (line: string) => void): Promise<Result> {
  const result: Result = {};
  let step = "";
  for await (const progress of parse(stream)) {
    const text = describe(progress);
    if (/^Step \d+\/\d+ : /.test(text)) step = text;
    if (text !== "") report(text);
    if (progress.aux?.ID !== undefined) result.id = progress.aux.ID;
    if (progress.aux?.Digest !== undefined) result.digest = progress.aux.Digest;
    const error = progress.errorDetail?.message ?? progress.error;
    if (progress.errorDetail?.code === 401) throw new Error("authentication is required");
    if (error !== undefined) throw new Error(step === "" ? error : `${error}\nat ${step}`);
  }
  return result;
}

function describe({ stream, status, id, progress }: Progress): string {
  if (stream !== undefined) return stream.trim();
  return [id, status, progress].filter((part) => part !== undefined && part !== "").join(" ");
}

async function* parse(stream: AsyncIterable<Buffer | string>): AsyncGenerator<Progress> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    rest += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line);
  }
  if (rest.trim() !== "") yield JSON.parse(rest);
}
