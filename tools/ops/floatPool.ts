// floatPool: the maximum, the average or the place of the maximum in a window, float32, channels last. An average
// is the sum in the order of the taps, rounded each time, divided by the count of cells.

import { Op } from "../../assembly/abi.ts";
import { FloatConv, FloatPool, FloatPoolKernel } from "../../assembly/floatAbi.ts";
import { elementCount } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { present } from "./window.ts";
import { AXES3, forCells, forTaps, requireWindow3, spatial, spatialShape, window3Fields } from "./window3.ts";

const f32 = Math.fround;
const KERNELS = { max: FloatPoolKernel.Max, average: FloatPoolKernel.Average, argMax: FloatPoolKernel.ArgMax } as const;

export const floatPool: Operator<"floatPool"> = {
  name: "floatPool",

  check(node, inputs) {
    const x = present(inputs[0], node.name, "input");
    requireWindow3(x, node.attrs.kernel, node.attrs.out, node.attrs, node.name);
    const shape = spatialShape(x.shape, node.attrs.out, x.shape.at(-1)!);
    return [{ shape, dtype: node.attrs.kind === "argMax" ? "int32" : "float32" }];
  },

  reference(node, [x], [output]) {
    const { kind, kernel, out, padAfter, countPad } = node.attrs;
    const [channels, size, input] = [x!.shape.at(-1)!, spatial(x!.shape), x!.data as Float32Array];
    const count = elementCount(output!.shape);
    const result = kind === "argMax" ? new Int32Array(count) : new Float32Array(count);
    let at = 0;
    forCells(x!.shape[0]!, out, (batch, place) => {
      const read: number[] = [];
      let cells = 0;
      forTaps(size, kernel, node.attrs, place, (_, cell, where) => {
        if (cell >= 0) read.push(cell);
        cells += Number(cell >= 0 || (countPad && AXES3.every((axis) => where[axis] < size[axis] + padAfter[axis])));
      });
      for (let c = 0; c < channels; c++) {
        const valueAt = (cell: number): number => input[(batch * elementCount(size) + cell) * channels + c]!;
        if (kind === "average") {
          const sum = read.reduce((total, cell) => f32(total + valueAt(cell)), 0);
          result[at++] = f32(sum / Math.max(cells, 1));
        } else if (kind === "max") {
          result[at++] = read.reduce((most, cell) => Math.max(most, valueAt(cell)), Number.NEGATIVE_INFINITY);
        } else {
          let [best, where] = [Number.NEGATIVE_INFINITY, 0];
          for (const cell of read) if (valueAt(cell) > best) [best, where] = [valueAt(cell), cell];
          result[at++] = where;
        }
      }
    });
    return [result];
  },

  lower(node, lowering) {
    const x = lowering.tensor(node.inputs[0]!);
    const { kind, kernel, out, padAfter, countPad } = node.attrs;
    lowering.emit({
      op: Op.FloatPool,
      kernel: KERNELS[kind],
      input: lowering.at(node.inputs[0]!),
      output: lowering.at(node.outputs[0]!),
      fields: [
        ...window3Fields(x, kernel, out, node.attrs),
        [FloatConv.OutC, Number(countPad)],
        ...AXES3.map((axis): [number, number] => [FloatPool.EndPad0 + axis, padAfter[axis]]),
      ],
      kernelName: `${kind} f32`,
    });
  },
};
