import { type Config, parseConfig } from "../../components/config.ts";
import { UserError } from "../../components/errors.ts";
import { readStackFile } from "../../components/stack-file.ts";

/** A stack's configuration out of its file, without Pulumi. @throws UserError naming every problem at once. */
export async function readStackConfig(directory: string, stack: string): Promise<Config> {
  const { file, values } = await readStackFile(directory, stack);
  if (values === undefined) throw new UserError(`there is no stack "${stack}": ${file} isn't there, or is empty`);
  return parseConfig(values, stack);
}
