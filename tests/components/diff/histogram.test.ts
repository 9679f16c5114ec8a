import assert from "node:assert/strict";
import { Histogram } from "../../../components/diff/histogram.ts";

describe("Histogram", () => {
  it("gives quantiles to 4 %", () => {
    const histogram = new Histogram();
    for (let ms = 1; ms <= 1000; ms++) histogram.add(ms);
    const { p50, p95, p99 } = histogram.percentiles();
    for (const [found, exact] of [
      [p50, 500],
      [p95, 950],
      [p99, 990],
    ] as const) {
      assert.ok(found >= exact && found <= exact * 1.04, `${found} for ${exact}`);
    }
  });

  it("takes anything from nothing to hours", () => {
    const histogram = new Histogram();
    assert.equal(histogram.quantile(0.5), 0);
    for (const ms of [0, 0.001, 1e9]) histogram.add(ms);
    assert.equal(histogram.quantile(0.5), 0.01);
    assert.ok(histogram.quantile(1) > 60_000);
  });
});
