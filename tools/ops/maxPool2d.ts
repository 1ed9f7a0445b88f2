// maxPool2d: out = clamp(max) over the cells inside the input.

import { Op } from "../../assembly/abi.ts";
import { poolOperator } from "./pool.ts";

export const maxPool2d = poolOperator({
  name: "maxPool2d",
  op: Op.MaxPool2d,
  reduce: (cells) => cells.reduce((most, cell) => Math.max(most, cell)),
});
