import { writeFile } from "node:fs/promises";
import path from "node:path";
import { bookingBy } from "../../tests/integration/decisions.ts";
import type { Bench } from "../bench.ts";
import { command } from "../command.ts";
import { startHaproxy } from "../load/haproxy.ts";
import { type Throughput, wrk } from "../load/wrk.ts";
import { BenchProject, SERVICE } from "../place/project.ts";
import { temporaryDirectory } from "../place/temporary.ts";
import { byTurns, figureOf, type Values } from "../rounds.ts";
import { installTools, isThere } from "../tools.ts";

const CONNECTIONS = 64;
const PORT = 8181;
/** What it is compared with, as the figures are called. */
const HAPROXY = "haproxy";
const ALONE = "the container alone";
const rate = (other: string) => `rate, to ${other}`;
const p99 = (other: string) => `p99, to ${other}`;
const PATH = "/v1/data/auto_book/allow";

export const frontEnd: Bench = {
  name: "front-end",
  measured: "one policy decision a request over 64 connections, through the local front end",
  reference: "haproxy in front of the same container, and the container alone",
  bars: { [rate(HAPROXY)]: { ratioAtLeast: 0.9 } },
  async run(run) {
    await installTools(["wrk", "haproxy"], run.step);
    if (!isThere("wrk")) return [{ name: "all", notMeasured: "wrk is missing" }];
    const haproxyIsThere = isThere("haproxy");
    await using project = await BenchProject.start(run);
    run.step("a release");
    await project.up();
    const { url, host } = await project.mainUrl();
    const container = await addressOf(project, (await project.test.outputs()).revision as string);
    await using haproxy = haproxyIsThere ? await startHaproxy(host, container) : undefined;
    await using work = await temporaryDirectory();
    const bodyFile = path.join(work.path, "body.json");
    await writeFile(bodyFile, JSON.stringify({ input: bookingBy("active") }));
    const load = { connections: CONNECTIONS, seconds: run.quick ? 2 : 8, signal: run.signal };
    const ask = (base: string) => wrk({ url: `${base}${PATH}`, host, bodyFile }, load);
    const found = await byTurns(run, run.quick ? 2 : 5, {
      async measured() {
        const front = await ask(url);
        return { ...named(HAPROXY, front), ...named(ALONE, front) };
      },
      async reference() {
        return {
          ...(haproxy !== undefined && named(HAPROXY, await ask(haproxy.url))),
          ...named(ALONE, await ask(`http://${container}`)),
        };
      },
    });
    const figures = (other: string) => [
      figureOf(rate(other), "requests/s", found[rate(other)]),
      figureOf(p99(other), "ms", found[p99(other)]),
    ];
    return [
      ...(haproxyIsThere ? figures(HAPROXY) : [{ name: rate(HAPROXY), notMeasured: "haproxy is missing" }]),
      ...figures(ALONE),
    ];
  },
};

function named(other: string, seen: Throughput): Values {
  return { [rate(other)]: seen.perSecond, [p99(other)]: seen.p99 };
}

/** `address:port` of a revision's container, as the front end reaches it. */
async function addressOf({ cloud }: BenchProject, revision: string): Promise<string> {
  const [id] = await cloud.running(`${SERVICE}/revisions/${revision}`);
  if (id === undefined) throw new Error(`${revision} has no container`);
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  return `${(await command("docker", ["inspect", "--format", format, id])).trim()}:${PORT}`;
}
