// meanPool: y[b] = clamp(rne(f32(f32(Σ (x[b, i] − zx)) · f32(f32(sx / sy) / f32(n)))) + zy) over the first n rows; zy where n is 0.

import { MeanPool as Field } from "../../assembly/abi/sequences.ts";
import { Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type Tensor } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { perTensor, requantize } from "./quantization.ts";
import { present, requireDType, requireRank } from "./window.ts";

const ratio = (x: Tensor, y: Tensor, node: string): number =>
  Math.fround(perTensor(x, node).scale / perTensor(y, node).scale);

export const meanPool: Operator<"meanPool"> = {
  name: "meanPool",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    const counts = present(inputs[1], node.name, "counts");
    for (const tensor of [x, outputs[0]!]) requireDType(tensor, ["int8"], node.name);
    requireRank(x, 3, node.name);
    requireDType(counts, ["int32"], node.name);
    const [batch, , width] = x.shape as [number, number, number];
    if (elementCount(counts.shape) !== batch || !Number.isFinite(ratio(x, outputs[0]!, node.name))) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: the counts must be one number for each of ${batch} batches but are [${counts.shape}].`,
      );
    }
    return [{ shape: [batch, width], dtype: "int8" }];
  },

  reference(node, [x, counts], [output]) {
    const [batch, rows, width] = x!.shape as [number, number, number];
    const inZero = perTensor(x!, node.name).zeroPoint;
    const outZero = perTensor(output!, node.name).zeroPoint;
    const result = new Int8Array(batch * width).fill(outZero);
    for (let b = 0; b < batch; b++) {
      const count = Math.max(0, Math.min(rows, Number(counts!.data[b])));
      if (count === 0) continue;
      const scale = Math.fround(ratio(x!, output!, node.name) / count);
      for (let c = 0; c < width; c++) {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += Number(x!.data[(b * rows + i) * width + c]) - inZero;
        result[b * width + c] = requantize(sum, scale, outZero, -128, 127);
      }
    }
    return [result];
  },

  lower(node, lowering) {
    const x = lowering.tensor(node.inputs[0]!);
    const output = lowering.tensor(node.outputs[0]!);
    const [batch, rows, width] = x.shape as [number, number, number];
    lowering.emit({
      op: Op.MeanPool,
      input: lowering.at(node.inputs[0]!),
      input2: lowering.at(node.inputs[1]!),
      output: lowering.at(node.outputs[0]!),
      fields: [
        [Field.Batch, batch],
        [Field.Rows, rows],
        [Field.Width, width],
        [Field.InZero, perTensor(x, node.name).zeroPoint],
        [Field.OutZero, perTensor(output, node.name).zeroPoint],
      ],
      floats: [[Field.Scale, ratio(x, output, node.name)]],
      kernelName: "the first rows, s8",
    });
  },
};
