/** `npm run ci:preview`: `pulumi preview` of a stack (production by default), as a report. Exit code 1 when it fails. */
import path from "node:path";
import { publishReport, runSection } from "./section.ts";

const root = path.resolve(import.meta.dirname, "../..");
const [stack = "prod"] = process.argv.slice(2);

const parameters = ["preview", "--stack", stack, "--non-interactive", "--color", "never"];
const section = await runSection(`Preview of ${stack}`, path.join(root, "bin/pulumi"), parameters);
await publishReport([section]);
process.exitCode = section.code === 0 ? 0 : 1;
