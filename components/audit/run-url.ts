/** Address of the CI run, where the CI says it. Sources: GitHub's and GitLab's documented default variables. */
export function runUrl(environment: NodeJS.ProcessEnv): string | undefined {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run, CI_JOB_URL } = environment;
  if (server !== undefined && repository !== undefined && run !== undefined) {
    return `${server}/${repository}/actions/runs/${run}`;
  }
  return CI_JOB_URL;
}
