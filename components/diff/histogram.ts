/** Width of a bucket: values in it differ by at most 4 %. */
const STEP = Math.log(1.04);
const LOWEST_MS = 0.01;

/** Latencies in milliseconds, in as much memory for a million as for a hundred. Quantiles are right to 4 %. */
export class Histogram {
  readonly #buckets = new Float64Array(400);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(ms: number): void {
    const bucket = ms <= LOWEST_MS ? 0 : Math.ceil(Math.log(ms / LOWEST_MS) / STEP);
    this.#count += 1;
    const index = Math.min(bucket, this.#buckets.length - 1);
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
  }

  /** The smallest value that `share` (0 to 1) of all are at or below; 0 without any. */
  quantile(share: number): number {
    let left = Math.max(1, Math.ceil(share * this.#count));
    for (const [bucket, count] of this.#buckets.entries()) {
      left -= count;
      if (left <= 0) return this.#count === 0 ? 0 : Math.round(LOWEST_MS * Math.exp(bucket * STEP) * 100) / 100;
    }
    return 0;
  }

  percentiles(): Percentiles {
    return { p50: this.quantile(0.5), p95: this.quantile(0.95), p99: this.quantile(0.99) };
  }
}

/** Milliseconds. */
export interface Percentiles {
  p50: number;
  p95: number;
  p99: number;
}
