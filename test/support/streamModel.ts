// A small streaming model of plain operators: it holds the last frames, and answers with a layer over all of them.
// Invariant: every output depends on HELD + 1 frames, so a state that is lost or wrong shows.

import type { Graph } from "../../tools/graph/graph.ts";
import { activation, constant, quant } from "./graphs.ts";
import { Random } from "./random.ts";

export const FRAME = 5;
export const HELD = 3;

export function delayGraph(seed = 1): Graph {
  const random = new Random(seed);
  const total = (HELD + 1) * FRAME;
  return {
    name: "delay",
    tensors: [
      activation("frame", [1, FRAME], 1 / 16, 3),
      activation("held", [HELD, FRAME], 1 / 16, 3),
      activation("window", [HELD + 1, FRAME], 1 / 16, 3),
      activation("held/next", [HELD, FRAME], 1 / 16, 3),
      activation("flat", [1, total], 1 / 16, 3),
      constant("w", [7, total], "int8", random.int8(7 * total, -127, 127), quant(1 / 64)),
      activation("y", [1, 7], 1 / 4, -2),
    ],
    nodes: [
      { op: "concat", name: "window", inputs: [1, 0], outputs: [2], attrs: { axis: 0, activation: "none" } },
      {
        op: "stridedSlice",
        name: "shift",
        inputs: [2],
        outputs: [3],
        attrs: { begin: [1, 0], strides: [1, 1], sizes: [HELD, FRAME], squeeze: [] },
      },
      { op: "reshape", name: "flat", inputs: [2], outputs: [4], attrs: { shape: [1, total] } },
      { op: "fullyConnected", name: "dense", inputs: [4, 5, -1], outputs: [6], attrs: { activation: "none" } },
    ],
    inputs: [0],
    outputs: [6],
    states: [{ input: 1, output: 3 }],
  };
}
