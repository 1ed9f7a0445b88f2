// exp of 0, −1, … −255 input steps in Q0.31, by gemmlowp's exp_on_negative_values: the difference in
// Q5.26 is cut into quarters; a polynomial covers one quarter and seven constants the powers of two above.
// Invariant: entry 0 is 2^31 − 1; differences that the rule drops are 0.

import { fixedPoint, highMultiply, multiplyFixedPoint, roundingShift } from "./fixedPoint.ts";

/** Integer bits of a scaled difference; 26 are its fraction. */
const INTEGER_BITS = 5;
const FRACTION_BITS = 31 - INTEGER_BITS;
/** exp(−2^k) in Q0.31, k = −2 … 4. */
const POWERS = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];
const EXP_OF_MINUS_EIGHTH = 1895147668;
const THIRD = 715827883;
const MOST = 2 ** 31 - 1;

export function exponentialTable(beta: number, scale: number): Int32Array {
  const factor = fixedPoint(Math.min(beta * scale * 2 ** FRACTION_BITS, MOST));
  const shift = Math.max(0, factor.shift);
  // Past this the scaled difference would leave Q5.26: exp of −31 is nothing.
  const least = -Math.floor(((2 ** INTEGER_BITS - 1) * 2 ** FRACTION_BITS) / 2 ** shift);
  return Int32Array.from({ length: 256 }, (_, i) => (-i >= least ? expOfNegative(multiplyFixedPoint(-i, factor)) : 0));
}

/** exp(a), a ≤ 0 in Q5.26, the result in Q0.31. */
function expOfNegative(a: number): number {
  if (a === 0) return MOST;
  const quarter = 2 ** (FRACTION_BITS - 2);
  const inQuarter = ((a % quarter) + quarter) % quarter;
  let result = expOfQuarter((inQuarter - quarter) * 2 ** INTEGER_BITS);
  const quarters = (inQuarter - quarter - a) / quarter;
  for (const [k, power] of POWERS.entries()) {
    if (Math.floor(quarters / 2 ** k) % 2 === 1) result = highMultiply(result, power);
  }
  return result;
}

/** exp(a), −1/4 ≤ a < 0, both in Q0.31: Taylor's series about −1/8. */
function expOfQuarter(a: number): number {
  const x = a + 2 ** 28;
  const x2 = highMultiply(x, x);
  const x3 = highMultiply(x2, x);
  const x4 = highMultiply(x2, x2);
  const cubicAndQuartic = highMultiply(roundingShift(x4, 2) + x3, THIRD);
  return EXP_OF_MINUS_EIGHTH + highMultiply(EXP_OF_MINUS_EIGHTH, x + roundingShift(cubicAndQuartic + x2, 1));
}
