import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

/** What the tests need besides what set-up brings: the program, and the Debian package that holds it. */
const TOOLS: [string, string][] = [
  ["/usr/bin/chromium", "chromium"],
  ["/usr/bin/gpg", "gnupg"],
  ["/usr/bin/ssh-keygen", "openssh-client"],
  ["/usr/bin/docker-registry", "docker-registry"],
  ["/usr/bin/curl", "curl"],
  ["/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "fonts-dejavu-core"],
];

/** Installs what is missing where that is possible: on Debian as root, or with password-less sudo. @throws Error saying what to install */
export function installTestTools(): void {
  const missing = TOOLS.filter(([file]) => !existsSync(file)).map(([, name]) => name);
  if (missing.length === 0) return;
  if (!existsSync("/usr/bin/apt-get"))
    throw new Error(`the tests need ${missing.join(", ")}; install them and try again`);
  console.log(`installing for the tests: ${missing.join(", ")}`);
  const [command, ...before] = process.getuid?.() === 0 ? ["env"] : ["sudo", "-n", "env"];
  const apt = [...before, "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"];
  try {
    execFileSync(command as string, [...apt, "update"], { stdio: ["ignore", "ignore", "inherit"] });
    const install = [...apt, "install", "-y", "--no-install-recommends", ...missing];
    execFileSync(command as string, install, { stdio: ["ignore", "ignore", "inherit"] });
  } catch (cause) {
    throw new Error(
      `the tests need ${missing.join(", ")}, and apt-get could not install them; install them and try again`,
      { cause },
    );
  }
}
