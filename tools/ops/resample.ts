// resample: out[j] = bias[j] + Σt weight[j,t] · x[index[j,t]] along one axis, float32, each product and sum rounded:
// one axis of a linear, cubic or antialiased resize, with the weights that the importer computed.

import { Op } from "../../assembly/abi.ts";
import { Resample } from "../../assembly/floatAbi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type Tensor } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { present, requireDType } from "./window.ts";

const f32 = Math.fround;

function parts(axis: number, { shape }: Tensor) {
  return { outer: elementCount(shape.slice(0, axis)), dim: shape[axis]!, inner: elementCount(shape.slice(axis + 1)) };
}

export const resample: Operator<"resample"> = {
  name: "resample",

  check(node, inputs) {
    const x = present(inputs[0], node.name, "input");
    const { axis, taps, bias, indices, weights } = node.attrs;
    requireDType(x, ["float32"], node.name);
    const fits = axis >= 0 && axis < x.shape.length && taps >= 1 && bias.length >= 1;
    const places = indices.every((index) => Number.isInteger(index) && index >= 0 && index < x.shape[axis]!);
    if (!fits || !places || indices.length !== bias.length * taps || weights.length !== indices.length) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: ${indices.length} places and ${weights.length} weights do not resample axis ${axis} of [${x.shape}] to ${bias.length}.`,
      );
    }
    return [{ shape: x.shape.map((size, a) => (a === axis ? bias.length : size)), dtype: "float32" }];
  },

  reference(node, [x], [output]) {
    const { axis, taps, bias, indices, weights } = node.attrs;
    const { outer, dim, inner } = parts(axis, x!);
    const result = new Float32Array(elementCount(output!.shape));
    let at = 0;
    for (let o = 0; o < outer; o++) {
      for (const [j, start] of bias.entries()) {
        for (let i = 0; i < inner; i++) {
          let sum = f32(start);
          for (let t = j * taps; t < (j + 1) * taps; t++) {
            sum = f32(sum + f32(f32(weights[t]!) * (x!.data[(o * dim + indices[t]!) * inner + i] as number)));
          }
          result[at++] = sum;
        }
      }
    }
    return [result];
  },

  lower(node, lowering) {
    const { axis, taps, bias, indices, weights } = node.attrs;
    const { outer, dim, inner } = parts(axis, lowering.tensor(node.inputs[0]!));
    const params = new DataView(new ArrayBuffer(bias.length * (2 * taps + 1) * 4));
    let at = 0;
    for (const [j, start] of bias.entries()) {
      params.setFloat32(at, start, true);
      at += 4;
      for (let t = j * taps; t < (j + 1) * taps; t++, at += 8) {
        params.setUint32(at, indices[t]!, true);
        params.setFloat32(at + 4, weights[t]!, true);
      }
    }
    lowering.emit({
      op: Op.Resample,
      input: lowering.at(node.inputs[0]!),
      output: lowering.at(node.outputs[0]!),
      params: lowering.params(new Uint8Array(params.buffer)),
      fields: [
        [Resample.Outer, outer],
        [Resample.InDim, dim],
        [Resample.Inner, inner],
        [Resample.OutDim, bias.length],
        [Resample.Taps, taps],
      ],
      kernelName: `${taps} taps f32`,
    });
  },
};
