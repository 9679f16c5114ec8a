import { hostname, userInfo } from "node:os";

/** Who runs this: the CI system's actor where one is set, else user@host. For records, not for access decisions. */
export function operator(environment: NodeJS.ProcessEnv = process.env): string {
  const actor = environment.GITHUB_ACTOR ?? environment.GITLAB_USER_LOGIN ?? environment.BUILD_REQUESTEDFOR;
  return actor ?? `${userInfo().username}@${hostname()}`;
}
