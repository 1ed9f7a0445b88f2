// floatSoftmax: eˣ / Σ eˣ over the last axis, or its logarithm, in float32; exponentials and sums in float64.
// A row of −∞ alone (all of it masked) gives zeros.

import { Op } from "../../assembly/abi.ts";
import { FloatSoftmax } from "../../assembly/floatAbi.ts";
import { elementCount } from "../graph/graph.ts";
import { exp, log } from "./floatMath.ts";
import type { Operator } from "./operator.ts";
import { present, requireDType } from "./window.ts";

export const floatSoftmax: Operator<"floatSoftmax"> = {
  name: "floatSoftmax",

  check(node, inputs) {
    const x = present(inputs[0], node.name, "input");
    requireDType(x, ["float32"], node.name);
    return [{ shape: x.shape, dtype: "float32" }];
  },

  reference(node, [x]) {
    const input = x!.data as Float32Array;
    const depth = x!.shape.at(-1) ?? 1;
    const result = new Float32Array(input.length);
    for (let row = 0; row < input.length; row += depth) {
      const greatest = input
        .subarray(row, row + depth)
        .reduce((y, value) => Math.max(y, value), Number.NEGATIVE_INFINITY);
      const most = greatest === Number.NEGATIVE_INFINITY ? 0 : greatest;
      let sum = 0;
      for (let i = row; i < row + depth; i++) {
        const e = exp(input[i]! - most);
        sum += e;
        result[i] = node.attrs.log ? input[i]! - most : e;
      }
      for (let i = row; i < row + depth; i++) result[i] = node.attrs.log ? result[i]! - log(sum) : result[i]! / sum;
    }
    return [result];
  },

  lower(node, lowering) {
    const { shape } = lowering.tensor(node.inputs[0]!);
    const depth = shape.at(-1) ?? 1;
    lowering.emit({
      op: Op.FloatSoftmax,
      input: lowering.at(node.inputs[0]!),
      output: lowering.at(node.outputs[0]!),
      fields: [
        [FloatSoftmax.Rows, elementCount(shape) / depth],
        [FloatSoftmax.Depth, depth],
        [FloatSoftmax.Log, Number(node.attrs.log)],
      ],
      inPlace: true,
      kernelName: node.attrs.log ? "rows f32, logarithm" : "rows f32",
    });
  },
};
