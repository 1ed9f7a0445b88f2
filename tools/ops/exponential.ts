// exp, by arithmetic that IEEE 754 fixes: the same table on every machine that packs, whatever its libm.
// Invariant: within 2 units in the last place of a double for |x| ≤ 700.

const LOG2_HIGH = 0.6931471803691238;
const LOG2_LOW = 1.9082149292705877e-10;

export function exponential(x: number): number {
  const power = Math.round(x / (LOG2_HIGH + LOG2_LOW));
  const rest = x - power * LOG2_HIGH - power * LOG2_LOW;
  let sum = 1;
  // Horner's scheme of the series; |rest| ≤ 0.35, so term 16 is below 2^-60.
  for (let k = 16; k >= 1; k--) sum = 1 + (rest / k) * sum;
  for (let k = 0; k < power; k++) sum *= 2;
  for (let k = 0; k > power; k--) sum /= 2;
  return sum;
}
