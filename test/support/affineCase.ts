// A dtype, scale and zero point for the property tests of quantize and dequantize.

import fc from "fast-check";
import type { DType } from "../../tools/graph/graph.ts";
import { integerRange } from "../../tools/ops/quantization.ts";

export const affineCase = fc
  .record({
    dtype: fc.constantFrom<DType>("int8", "uint8", "int16"),
    scale: fc.float({ min: Math.fround(1e-6), max: 100, noNaN: true }),
    zero: fc.nat(),
  })
  .map(({ dtype, scale, zero }) => {
    const [min, max] = integerRange(dtype);
    return { dtype, scale, zero: min + (zero % (max - min + 1)) };
  });
