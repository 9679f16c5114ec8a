/**
 * `npm run ci:comment`: puts the reports of the other jobs into one comment on the pull request, the same one each time. Needs nothing installed: it
 * runs in the one job that may write.
 */
import { findComment, MARKER, writeComment } from "./github.ts";

const { GITHUB_TOKEN, GITHUB_REPOSITORY, PULL_REQUEST, GITHUB_API_URL = "https://api.github.com" } = process.env;
const { CHECKS, PREVIEW } = process.env;
if (!GITHUB_TOKEN || !GITHUB_REPOSITORY || !/^\d+$/.test(PULL_REQUEST ?? "")) {
  console.error(
    "ci:comment needs GITHUB_TOKEN, GITHUB_REPOSITORY and PULL_REQUEST (a number), as GitHub Actions sets them.",
  );
  process.exit(2);
}

const or = (report: string | undefined, missing: string) => (report === undefined || report === "" ? missing : report);
const body = [
  MARKER,
  "### What this change does to the policies",
  or(CHECKS, "_The checks gave no report; see their job._"),
  or(PREVIEW, "_No preview of production: it failed before it began, or this repository has no identity for it._"),
].join("\n\n");

const thread = {
  api: GITHUB_API_URL,
  token: GITHUB_TOKEN,
  repository: GITHUB_REPOSITORY,
  number: Number(PULL_REQUEST),
};
const existing = await findComment(thread);
await writeComment(thread, existing, body);
console.log(existing === undefined ? "commented" : "updated the comment");
