// What averagePool2d and maxPool2d share on the tools' side: their checks, the walk over windows cut
// to the input, and the fields of a step. Invariant: input and output have one scale and zero point.

import { type Op, Pool } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type Node, type Tensor } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { clampRange, perTensor } from "./quantization.ts";
import { present, requireDType, requireRank, windowSize } from "./window.ts";

export type PoolName = "averagePool2d" | "maxPool2d";

/** Most cells of a window: assembly/ops/poolWindow.ts says why. */
const MOST_CELLS = 2 ** 16;

function checkPool(node: Node<PoolName>, x: Tensor, output: Tensor): readonly number[] {
  requireDType(x, ["int8"], node.name);
  requireRank(x, 4, node.name);
  const from = perTensor(x, node.name);
  const to = perTensor(output, node.name);
  if (from.scale !== to.scale || from.zeroPoint !== to.zeroPoint) {
    throw new ToolError(
      "UNSUPPORTED",
      `${node.name}: ${node.op} keeps its input's scale ${from.scale} and zero point ${from.zeroPoint} but the output has ${to.scale} and ${to.zeroPoint}; requantize after it.`,
    );
  }
  const { kernelH, kernelW, strideH, strideW, padding } = node.attrs;
  if (kernelH * kernelW > MOST_CELLS) {
    throw new ToolError(
      "UNSUPPORTED",
      `${node.name}: a window of ${kernelH}×${kernelW} has more than ${MOST_CELLS} cells; pool in two steps.`,
    );
  }
  const [height, width] = windowSize(x, node.attrs, { kernelH, kernelW, dilationH: 1, dilationW: 1 }, node.name);
  const empty =
    padding.top >= kernelH ||
    padding.left >= kernelW ||
    (height - 1) * strideH - padding.top >= x.shape[1]! ||
    (width - 1) * strideW - padding.left >= x.shape[2]!;
  if (empty) {
    throw new ToolError(
      "UNSUPPORTED",
      `${node.name}: some ${kernelH}×${kernelW} windows lie wholly in the padding and have no cell; use less padding.`,
    );
  }
  return [x.shape[0]!, height, width, x.shape[3]!];
}

export interface PoolKernel<K extends PoolName> {
  readonly name: K;
  readonly op: Op;
  /** the window's one integer from its cells, before the clamp; `offset` makes a cell what the source model held */
  reduce(cells: readonly number[], offset: number): number;
}

/** 128 where the source model's values were uint8. */
function offsetOf(node: Node<PoolName>): number {
  return node.op === "averagePool2d" && node.attrs.unsigned ? 128 : 0;
}

export function poolOperator<K extends PoolName>(kernel: PoolKernel<K>): Operator<K> {
  return {
    name: kernel.name,

    check(node, inputs, outputs) {
      const x = present(inputs[0], node.name, "input");
      return [{ shape: checkPool(node as Node<PoolName>, x, outputs[0]!), dtype: "int8" }];
    },

    reference(node, [x], [output]) {
      const { kernelH, kernelW, strideH, strideW, padding, activation } = (node as Node<PoolName>).attrs;
      const [, inH, inW] = x!.shape as [number, number, number, number];
      const [batch, outH, outW, channels] = output!.shape as [number, number, number, number];
      const [min, max] = clampRange(activation, output!, node.name);
      const offset = offsetOf(node as Node<PoolName>);
      const result = new Int8Array(elementCount(output!.shape));
      let at = 0;
      for (let b = 0; b < batch; b++) {
        for (let oy = 0; oy < outH; oy++) {
          for (let ox = 0; ox < outW; ox++) {
            for (let c = 0; c < channels; c++) {
              const cells: number[] = [];
              for (let tap = 0; tap < kernelH * kernelW; tap++) {
                const y = oy * strideH - padding.top + Math.floor(tap / kernelW);
                const column = ox * strideW - padding.left + (tap % kernelW);
                if (y < 0 || y >= inH || column < 0 || column >= inW) continue;
                cells.push(x!.data[((b * inH + y) * inW + column) * channels + c] as number);
              }
              result[at++] = Math.min(max, Math.max(min, kernel.reduce(cells, offset)));
            }
          }
        }
      }
      return [result];
    },

    lower(node, lowering) {
      const { kernelH, kernelW, strideH, strideW, padding, activation } = (node as Node<PoolName>).attrs;
      const x = lowering.tensor(node.inputs[0]!);
      const output = lowering.tensor(node.outputs[0]!);
      const [min, max] = clampRange(activation, output, node.name);
      lowering.emit({
        op: kernel.op,
        input: lowering.at(node.inputs[0]!),
        output: lowering.at(node.outputs[0]!),
        fields: [
          [Pool.Batch, x.shape[0]!],
          [Pool.InH, x.shape[1]!],
          [Pool.InW, x.shape[2]!],
          [Pool.Channels, x.shape[3]!],
          [Pool.OutH, output.shape[1]!],
          [Pool.OutW, output.shape[2]!],
          [Pool.KernelH, kernelH],
          [Pool.KernelW, kernelW],
          [Pool.StrideH, strideH],
          [Pool.StrideW, strideW],
          [Pool.PadTop, padding.top],
          [Pool.PadLeft, padding.left],
          [Pool.Min, min],
          [Pool.Max, max],
          [Pool.Offset, offsetOf(node as Node<PoolName>)],
        ],
        kernelName: "strips of 16 channels s8",
      });
    },
  };
}
