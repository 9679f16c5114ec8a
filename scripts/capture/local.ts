import { resolve } from "node:path";
import Docker from "dockerode";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { mainRevision, splitOf } from "../../components/cloudrun/traffic.ts";
import { UserError } from "../../components/errors.ts";
import { shortName } from "../../local/names.ts";
import { Containers } from "../../local/runtime/containers.ts";
import { Store } from "../../local/store.ts";

/** Lines of a container's log that the engine keeps are fewer. */
const LINES = 1_000_000;

export interface LocalService {
  endpoint: string;
  /** projects/P/locations/L/services/S */
  service: string;
  /** Where the local Cloud Run keeps its state. */
  data: string;
}

/** The log of the revision that serves on the local Cloud Run. @throws UserError when there is none, CloudRunError when it isn't running */
export async function localLog({ endpoint, service, data }: LocalService): Promise<string> {
  if (!/^https?:/.test(endpoint) || !URL.canParse(endpoint)) {
    throw new UserError(`--endpoint is "${endpoint}"; allowed is a URL such as http://127.0.0.1:8470`);
  }
  const live = await new CloudRun({ endpoint }).getService(service);
  const revision = live === undefined ? undefined : mainRevision(splitOf(live));
  if (revision === undefined) throw new UserError(`${service} doesn't exist at ${endpoint}; \`npm start\` deploys it`);
  const instance = await Store.readInstance(resolve(data)).catch((cause) => {
    throw new UserError(`--data ${data} can't be used`, { cause });
  });
  const containers = new Containers(new Docker(), instance ?? "");
  const id = [...(await containers.list())].find(([name]) => shortName(name) === revision)?.[1];
  if (id === undefined) throw new UserError(`${revision} serves and has no container on this machine's Docker engine`);
  return containers.lastLogLines(id, LINES);
}
