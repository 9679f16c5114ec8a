import { execFileSync } from "node:child_process";

/** Whether gcloud is installed here. */
export function hasGcloud(): boolean {
  try {
    execFileSync("gcloud", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
