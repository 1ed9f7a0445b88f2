// select: a where the condition is not 0, b elsewhere, of float32 or int32 values with NumPy broadcasting.
// In the plan: b is copied to the output, then the core's zip puts a over it where the condition holds.

import { ZipFn } from "../../assembly/floatAbi.ts";
import { ToolError } from "../errors.ts";
import { DTYPE_BYTES, elementCount, zeros } from "../graph/graph.ts";
import { broadcastAxes, broadcastShape, mergedAxes } from "./broadcast.ts";
import type { Operator } from "./operator.ts";
import { type Box, emitCopy, stridesOf } from "./stridedCopy.ts";
import { present, requireDType } from "./window.ts";
import { emitZip, forBroadcast } from "./zip.ts";

export const select: Operator<"select"> = {
  name: "select",

  check(node, inputs) {
    const condition = present(inputs[0], node.name, "condition");
    const a = present(inputs[1], node.name, "second input");
    const b = present(inputs[2], node.name, "third input");
    requireDType(condition, ["int32"], node.name);
    requireDType(a, ["float32", "int32"], node.name);
    if (a.dtype !== b.dtype) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: chooses between ${a.dtype} "${a.name}" and ${b.dtype} "${b.name}"; convert one to the other's dtype.`,
      );
    }
    const shape = broadcastShape(broadcastShape(condition.shape, a.shape, node.name), b.shape, node.name);
    mergedAxes(condition.shape, a.shape, shape, node.name);
    return [{ shape, dtype: a.dtype }];
  },

  reference(_node, [condition, a, b], [output]) {
    const { shape, dtype } = output!;
    const result = zeros(dtype, elementCount(shape));
    forBroadcast(condition!.shape, a!.shape, shape, (at, c, from) => {
      if (condition!.data[c]) result[at] = a!.data[from]!;
    });
    forBroadcast(condition!.shape, b!.shape, shape, (at, c, from) => {
      if (!condition!.data[c]) result[at] = b!.data[from]!;
    });
    return [result];
  },

  lower(node, lowering) {
    const [condition, a, b] = node.inputs as [number, number, number];
    const output = node.outputs[0]!;
    const { shape, dtype } = lowering.tensor(output);
    const box: Box = {
      dims: shape,
      inStrides: broadcastAxes(lowering.tensor(b).shape, [], shape).map((axis) => axis.aStride),
      inOffset: 0,
      outStrides: stridesOf(shape),
      outOffset: 0,
    };
    emitCopy(lowering, node.name, b, (offset) => lowering.at(output, offset), box);
    const place = (id: number) => ({ ref: lowering.at(id), shape: lowering.tensor(id).shape });
    emitZip(
      lowering,
      node.name,
      ZipFn.Choose,
      place(condition),
      place(a),
      place(output),
      `select, ${DTYPE_BYTES[dtype]}-byte values`,
    );
  },
};
