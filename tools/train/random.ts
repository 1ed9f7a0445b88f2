// Seeded random numbers for initial weights, shuffling and augmentation.
// Invariant: a generator's numbers depend on its seed alone; `fork` gives one that is independent of how many
// numbers were drawn before.

/** sfc32 (Chris Doty-Humphrey): 128 bits of state, passes PractRand. */
export class Random {
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.seed = seed | 0;
    this.#a = this.seed;
    this.#b = 0x9e3779b9 | 0;
    this.#c = Math.imul(this.seed ^ 0x85ebca6b, 0xc2b2ae35);
    for (let i = 0; i < 12; i++) this.word();
  }

  /** 0 … 2³² − 1 */
  word(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** 0 ≤ x < 1, a multiple of 2⁻³² */
  uniform(): number {
    return this.word() / 2 ** 32;
  }

  /** low ≤ x < high */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** 0 … count − 1 */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** Sum of twelve uniforms less six: mean 0, variance 1, within ±6, and no function that differs between engines. */
  normal(): number {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += this.uniform();
    return sum;
  }

  /** Fisher–Yates, in place. */
  shuffle<T extends Uint32Array | number[]>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const kept = items[i]!;
      items[i] = items[j]!;
      items[j] = kept;
    }
    return items;
  }

  /** A generator for `purpose`: the same for the same seed, whatever was drawn here. */
  fork(purpose: string | number): Random {
    let hash = this.seed ^ 0x811c9dc5;
    for (const unit of String(purpose)) hash = Math.imul(hash ^ unit.codePointAt(0)!, 0x01000193);
    return new Random(hash);
  }
}
