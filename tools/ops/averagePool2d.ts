// averagePool2d: out = clamp(round(sum / cells)) over the cells inside the input, ties away from zero,
// as TFLite (every engine agrees). Where the source model's values were uint8 the ties are those
// values': 127.5 is 128 there, and −0.5 would be −1 here.

import { Op } from "../../assembly/abi.ts";
import { poolOperator } from "./pool.ts";

export const averagePool2d = poolOperator({
  name: "averagePool2d",
  op: Op.AveragePool2d,
  reduce(cells, offset) {
    const sum = cells.reduce((total, cell) => total + cell + offset, 0);
    const half = Math.floor(cells.length / 2);
    return Math.trunc((sum > 0 ? sum + half : sum - half) / cells.length) - offset;
  },
});
