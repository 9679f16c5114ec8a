import assert from "node:assert/strict";
import { request } from "undici";
import { between, parseCounters, readCounters } from "../../../components/canary/metrics.ts";
import { startOpa } from "../../../components/opa/process.ts";

const TEXT = `
# HELP http_request_duration_seconds A histogram of duration for requests.
http_request_duration_seconds_bucket{code="200",handler="v1/data",method="post",le="0.001"} 80
http_request_duration_seconds_bucket{code="200",handler="v1/data",method="post",le="0.01"} 90
http_request_duration_seconds_bucket{code="200",handler="v1/data",method="post",le="+Inf"} 90
http_request_duration_seconds_count{code="200",handler="v1/data",method="post"} 90
http_request_duration_seconds_bucket{code="500",handler="v1/data",method="post",le="0.001"} 4
http_request_duration_seconds_bucket{code="500",handler="v1/data",method="post",le="0.01"} 10
http_request_duration_seconds_bucket{code="500",handler="v1/data",method="post",le="+Inf"} 10
http_request_duration_seconds_count{code="500",handler="v1/data",method="post"} 10
http_request_duration_seconds_count{code="200",handler="health",method="get"} 1000
`;

describe("OPA's counters", () => {
  it("count decisions and those that failed, and nothing else", () => {
    const { requests, errors, buckets } = parseCounters(TEXT);
    assert.deepEqual([requests, errors, buckets.get(0.001)], [100, 10, 84]);
  });

  it("say what happened between two readings", () => {
    const none = parseCounters("");
    assert.deepEqual(between(none, parseCounters(TEXT)), {
      ...{ requests: 100, errors: 10, reasons: {} },
      latency: { p50: 1, p95: 10, p99: 10 },
    });
    assert.equal(between(parseCounters(TEXT), none), undefined, "another instance's counters");
    assert.equal(between(undefined, none), undefined);
  });

  it("are read from a running OPA, and missing where there is none", async () => {
    await using opa = await startOpa(undefined);
    const before = await readCounters(opa.url);
    for (let asked = 0; asked < 3; asked++) {
      const reply = await request(`${opa.url}/v1/data/p/allow`, { method: "POST", body: '{"input":{}}' });
      await reply.body.dump();
    }
    assert.equal(between(before, await readCounters(opa.url))?.requests, 3);
    assert.equal(await readCounters("http://127.0.0.1:1"), undefined);
  });
});
