// The distribution of a tensor's values over many runs, in equal bins around 0: what observers choose ranges by.
// Invariant: the reach is a power of two and only grows, by merging bins in pairs, so that the order of the runs does
// not matter. Exact zeros, which every grid has, are counted beside the bins.
//
//    −reach            0            reach
//      ├──┬──┬──┬──┬──┼──┬──┬──┬──┬──┤      HALF bins on each side

const HALF = 4096;

export class Histogram {
  #counts = new Float64Array(2 * HALF);
  #reach = 2 ** -60;
  zeros = 0;

  get counts(): Float64Array {
    return this.#counts;
  }

  /** the width of a bin */
  get width(): number {
    return this.#reach / HALF;
  }

  /** the real value in the middle of a bin */
  centre(bin: number): number {
    return (bin + 0.5 - HALF) * this.width;
  }

  /** the bin that holds a real value of the reach */
  bin(value: number): number {
    return Math.max(0, Math.min(2 * HALF - 1, Math.floor(value / this.width) + HALF));
  }

  /** `most`: the largest magnitude in `data`, finite. */
  add(data: Float32Array, most: number): void {
    if (most >= this.#reach) this.#grow(2 ** Math.ceil(Math.log2(most) + 1e-9));
    const [counts, scale] = [this.#counts, HALF / this.#reach];
    for (let i = 0; i < data.length; i++) {
      const value = data[i]!;
      if (value === 0) this.zeros++;
      else {
        const at = Math.floor(value * scale) + HALF;
        counts[at < 2 * HALF ? at : 2 * HALF - 1]!++;
      }
    }
  }

  #grow(reach: number): void {
    const times = reach / this.#reach;
    const merged = new Float64Array(2 * HALF);
    for (let i = 0; i < 2 * HALF; i++) {
      if (this.#counts[i]! > 0) merged[Math.floor((i - HALF) / times) + HALF]! += this.#counts[i]!;
    }
    this.#counts = merged;
    this.#reach = reach;
  }
}
