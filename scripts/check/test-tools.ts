import { existsSync } from "node:fs";
import { hasApt, installPackages } from "./debian-packages.ts";

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
export async function installTestTools(): Promise<void> {
  const missing = TOOLS.filter(([file]) => !existsSync(file)).map(([, name]) => name);
  if (missing.length === 0) return;
  if (!hasApt()) throw new Error(`the tests need ${missing.join(", ")}; install them and try again`);
  console.log(`installing for the tests: ${missing.join(", ")}`);
  try {
    await installPackages(missing);
  } catch (cause) {
    throw new Error(
      `the tests need ${missing.join(", ")}, and apt-get could not install them; install them and try again`,
      { cause },
    );
  }
}
