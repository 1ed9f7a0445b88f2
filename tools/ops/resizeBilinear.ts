// resizeBilinear: TFLite's integer rule for int8: positions and weights in 1024ths of a pixel,
// out = round((Σ pixel · wy · wx) / 2^20), halves away from zero.

import { Op } from "../../assembly/abi.ts";
import { type Attributes, elementCount } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { checkResize, resizeFields } from "./resizeNearest.ts";
import { present, requireDType } from "./window.ts";

const ONE = 1024;

/** Between which two pixels an output index lies, and how far from the lower one, in 1024ths. */
interface Position {
  readonly lower: number;
  readonly upper: number;
  readonly weight: number;
}

function positions(inSize: number, outSize: number, options: Attributes["resizeBilinear"]): Position[] {
  const aligned = options.alignCorners && outSize > 1;
  const [from, to] = aligned ? [inSize - 1, outSize - 1] : [inSize, outSize];
  const scale = Math.floor((ONE * from + Math.floor(to / 2)) / to);
  return Array.from({ length: outSize }, (_, i) => {
    const at = i * scale + (options.halfPixelCenters ? Math.floor(scale / 2) - ONE / 2 : 0);
    // Rounding of the scale may lead past the last pixel; TFLite would read there, this stays on it.
    const lower = Math.min(Math.max(Math.trunc(at / ONE), 0), inSize - 1);
    const upper = Math.min(Math.max(Math.trunc((at + ONE - 1) / ONE), lower), inSize - 1);
    // Where both are one pixel the weights add up to ONE whatever they are.
    return { lower, upper, weight: upper === lower ? 0 : at - ONE * lower };
  });
}

export const resizeBilinear: Operator<"resizeBilinear"> = {
  name: "resizeBilinear",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    requireDType(x, ["int8"], node.name);
    return [{ shape: checkResize(node.name, x, outputs[0]!, node.attrs), dtype: x.dtype }];
  },

  reference(node, [x], [output]) {
    const [batch, inH, inW, channels] = x!.shape as [number, number, number, number];
    const { outH, outW } = node.attrs;
    const data = x!.data as Int8Array;
    const rows = positions(inH, outH, node.attrs);
    const columns = positions(inW, outW, node.attrs);
    const out = new Int8Array(elementCount(output!.shape));
    let to = 0;
    for (let b = 0; b < batch; b++) {
      for (const row of rows) {
        for (const column of columns) {
          for (let c = 0; c < channels; c++) {
            const pixel = (y: number, at: number): number => data[((b * inH + y) * inW + at) * channels + c]!;
            const west =
              pixel(row.lower, column.lower) * (ONE - row.weight) + pixel(row.upper, column.lower) * row.weight;
            const east =
              pixel(row.lower, column.upper) * (ONE - row.weight) + pixel(row.upper, column.upper) * row.weight;
            const sum = west * (ONE - column.weight) + east * column.weight;
            out[to++] = Math.sign(sum) * Math.floor(Math.abs(sum) / 2 ** 20 + 0.5);
          }
        }
      }
    }
    return [out];
  },

  lower(node, lowering) {
    const x = lowering.tensor(node.inputs[0]!);
    const { outH, outW } = node.attrs;
    const table = [...positions(x.shape[1]!, outH, node.attrs), ...positions(x.shape[2]!, outW, node.attrs)];
    const words = Int32Array.from(table.flatMap(({ lower, upper, weight }) => [lower, upper, weight]));
    lowering.emit({
      op: Op.ResizeBilinear,
      input: lowering.at(node.inputs[0]!),
      output: lowering.at(node.outputs[0]!),
      params: lowering.params(new Uint8Array(words.buffer)),
      fields: resizeFields(x, 1, node.attrs),
      kernelName: "four neighbours, eight channels at a time",
      macs: 4 * elementCount(lowering.tensor(node.outputs[0]!).shape),
    });
  },
};
