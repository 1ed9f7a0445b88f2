// averagePool2d: out = clamp(round(sum / cells)) over the cells inside the input, ties away from zero,
// as TFLite (every engine agrees).

import { Op } from "../../assembly/abi.ts";
import { poolOperator } from "./pool.ts";

export const averagePool2d = poolOperator({
  name: "averagePool2d",
  op: Op.AveragePool2d,
  reduce(cells) {
    const sum = cells.reduce((total, cell) => total + cell, 0);
    const half = Math.floor(cells.length / 2);
    return Math.trunc((sum > 0 ? sum + half : sum - half) / cells.length);
  },
});
