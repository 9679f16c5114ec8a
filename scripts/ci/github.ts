/** A pull request, and who asks. */
export interface Thread {
  api: string;
  token: string;
  /** OWNER/NAME */
  repository: string;
  number: number;
}

/** In the comment that is this project's, and in no other. */
export const MARKER = "<!-- flowpilot: what this change does -->";

/** GitHub refuses a longer comment. */
const LIMIT = 65_000;
const PAGES = 20;

/** The id of the comment that an earlier run made; undefined when there is none. Only a bot's own counts: anybody could write the marker. */
export async function findComment(thread: Thread): Promise<number | undefined> {
  for (let page = 1; page <= PAGES; page++) {
    const path = `issues/${thread.number}/comments?per_page=100&page=${page}`;
    const comments = await call<{ id: number; body: string; user: { type: string } }[]>(thread, "GET", path);
    const own = comments.find(({ body, user }) => user.type === "Bot" && body.startsWith(MARKER));
    if (own !== undefined) return own.id;
    if (comments.length < 100) return undefined;
  }
  return undefined;
}

/** Makes the comment, or writes it anew. */
export async function writeComment(thread: Thread, existing: number | undefined, body: string): Promise<void> {
  const text = body.length <= LIMIT ? body : `${body.slice(0, LIMIT)}\n\n… (cut; the jobs have all of it)`;
  if (existing === undefined) await call(thread, "POST", `issues/${thread.number}/comments`, { body: text });
  else await call(thread, "PATCH", `issues/comments/${existing}`, { body: text });
}

async function call<T>({ api, token, repository }: Thread, method: string, path: string, body?: unknown): Promise<T> {
  const reply = await fetch(`${api}/repos/${repository}/${path}`, {
    method,
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "x-github-api-version": "2022-11-28",
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  if (!reply.ok) throw new Error(`${method} ${path} answered ${reply.status}: ${(await reply.text()).slice(0, 500)}`);
  return (await reply.json()) as T;
}
