// gelu: x · Φ(x), Φ the normal distribution, or x · (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2; rounded to float32 once.
// Invariant: only arithmetic that IEEE 754 fixes, so that every machine packs the same table.

import { exponential } from "./exponential.ts";
import { realTable, tableOperator } from "./table.ts";

/** Past this the value is 0 or x in float32. */
const FAR = 14;

/** erfc(z), z ≥ 0: the series of erf up to 3, then its continued fraction from the thirtieth term back. */
function erfc(z: number): number {
  if (z < 3) {
    let term = z;
    let sum = z;
    for (let n = 1; n < 60; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - sum * 1.1283791670955126;
  }
  let fraction = z;
  for (let n = 60; n > 0; n--) fraction = z + n / 2 / fraction;
  return (exponential(-z * z) * 0.5641895835477563) / fraction;
}

function exact(x: number): number {
  const tail = erfc(Math.abs(x) * Math.SQRT1_2) / 2;
  return x * (x < 0 ? tail : 1 - tail);
}

function approximate(x: number): number {
  const inner = 0.7978845608028654 * (x + 0.044715 * x * x * x);
  return x / (1 + exponential(-2 * inner));
}

export const gelu = tableOperator({
  name: "gelu",
  table: (node, input, output) =>
    realTable(input, output, node.name, (x) => {
      if (Math.abs(x) > FAR) return Math.max(0, x);
      return node.attrs.approximate ? approximate(x) : exact(x);
    }),
});
