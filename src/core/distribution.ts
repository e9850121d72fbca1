/** Smallest, greatest and mean are exact; of the rest only the power of two below which it lies is kept. */
export class Distribution {
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = 0;
  /** At index i the values from 2^(i-1) + 1 to 2^i. */
  readonly #buckets: number[] = [];

  /** Takes one whole number, 1 or more. */
  add(value: number): void {
    this.#count += 1;
    this.#sum += value;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
    const bucket = Math.ceil(Math.log2(value));
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  /** `null` where nothing was taken. The percentiles are upper bounds, at most twice the true value. */
  toJson() {
    if (this.#count === 0) return null;
    return {
      min: this.#min,
      mean: this.#sum / this.#count,
      max: this.#max,
      p50_at_most: this.#atMost(0.5),
      p99_at_most: this.#atMost(0.99),
    };
  }

  #atMost(part: number): number {
    let seen = 0;
    for (const [bucket, count = 0] of this.#buckets.entries()) {
      seen += count;
      if (seen >= part * this.#count) return Math.min(2 ** bucket, this.#max);
    }
    return this.#max;
  }
}
