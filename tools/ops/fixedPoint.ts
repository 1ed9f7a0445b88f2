// TFLite's fixed-point arithmetic, in whole numbers of any size: the truth behind
// assembly/numeric/fixedPoint.ts. Invariant: a factor is multiplier · 2^(shift − 31), multiplier in Q31.

export interface FixedPoint {
  readonly multiplier: number;
  readonly shift: number;
}

/** The factor as 31 bits and a power of two: 2^30 ≤ multiplier < 2^31, or 0 where the factor is under 2^−32. */
export function fixedPoint(factor: number): FixedPoint {
  if (factor === 0) return { multiplier: 0, shift: 0 };
  let shift = Math.floor(Math.log2(factor)) + 1;
  // The logarithm may be off by one next to a power of two.
  while (factor / 2 ** shift >= 1) shift++;
  while (factor / 2 ** shift < 0.5) shift--;
  let multiplier = Math.round((factor / 2 ** shift) * 2 ** 31);
  if (multiplier === 2 ** 31) {
    multiplier = 2 ** 30;
    shift++;
  }
  return shift < -31 ? { multiplier: 0, shift: 0 } : { multiplier, shift };
}

/** round(a · b / 2^31), both int32: gemmlowp's nudge and truncating division, which round halves up. */
export function highMultiply(a: number, b: number): number {
  const product = BigInt(a) * BigInt(b);
  return Number((product + (product >= 0n ? 1n << 30n : 1n - (1n << 30n))) / (1n << 31n));
}

/** round(x / 2^down), halves away from zero; both are exact in a double. */
export function roundingShift(x: number, down: number): number {
  return Math.sign(x) * Math.floor(Math.abs(x) / 2 ** down + 0.5);
}

/** round(x · factor), x an int32: rounded to nearest once for the product and once for the shift. */
export function multiplyFixedPoint(x: number, { multiplier, shift }: FixedPoint): number {
  return roundingShift(highMultiply((x << Math.max(shift, 0)) | 0, multiplier), Math.max(-shift, 0));
}
