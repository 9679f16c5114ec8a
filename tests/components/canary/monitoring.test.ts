import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readMonitoring } from "../../../components/canary/monitoring.ts";

describe("readMonitoring", () => {
  it("asks for one revision's requests over the time, and adds them up", async () => {
    const asked: URLSearchParams[] = [];
    const server = createServer((request, response) => {
      const { searchParams, pathname } = new URL(request.url ?? "", "http://x");
      assert.equal(pathname, "/projects/p/timeSeries");
      asked.push(searchParams);
      const reducer = searchParams.get("aggregation.crossSeriesReducer") ?? "";
      const count = (code: string, value: string) => ({
        metric: { labels: { response_code_class: code } },
        points: [{ value: { int64Value: value } }],
      });
      const percentile = Number(reducer.split("_").at(-1));
      const timeSeries =
        reducer === "REDUCE_SUM"
          ? [count("2xx", "90"), count("5xx", "10")]
          : [{ points: [{ value: { doubleValue: percentile * 2 } }] }];
      response.end(JSON.stringify({ timeSeries }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const [from, to] = [new Date("2026-03-01T00:00:00Z"), new Date("2026-03-01T00:05:00Z")];
      const sample = await readMonitoring({ project: "p", service: "s", revision: "s-a", from, to, api });
      assert.deepEqual(sample, { requests: 100, errors: 10, latency: { p50: 100, p95: 190, p99: 198 }, reasons: {} });
      assert.equal(asked.length, 4);
      assert.match(asked[0]?.get("filter") ?? "", /revision_name="s-a"/);
      assert.equal(asked[0]?.get("aggregation.alignmentPeriod"), "300s");
    } finally {
      server.close();
    }
  });
});
