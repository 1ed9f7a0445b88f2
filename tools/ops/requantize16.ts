// Rescaling where int16 takes part, by TFLite's fixed-point rule:
// y = clamp(round((x − zx) · s_x / s_y) + zy). Used by requantize and by concat.

import { Op, Requantize, RequantizeKernel } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type Tensor, type TensorData, zeros } from "../graph/graph.ts";
import { type FixedPoint, fixedPoint, multiplyFixedPoint } from "./fixedPoint.ts";
import type { Lowering, Ref } from "./operator.ts";
import { perTensor } from "./quantization.ts";

const KERNELS: Readonly<Record<string, RequantizeKernel>> = {
  "int16 → int16": RequantizeKernel.Int16ToInt16,
  "int16 → int8": RequantizeKernel.Int16ToInt8,
  "int8 → int16": RequantizeKernel.Int8ToInt16,
  "int32 → int16": RequantizeKernel.Int32ToInt16,
  "int16 → int32": RequantizeKernel.Int16ToInt32,
};

/** Bits of x − zx, with its sign. */
const INPUT_BITS: Readonly<Record<string, number>> = { int8: 9, int16: 17, int32: 32 };

interface Rescale {
  readonly kernel: RequantizeKernel;
  readonly factor: FixedPoint;
  readonly inZero: number;
  readonly outZero: number;
}

/** Throws UNSUPPORTED for a pair of dtypes or of scales that the kernels do not take. */
export function rescaleOf(input: Tensor, output: Tensor, node: string): Rescale {
  const pair = `${input.dtype} → ${output.dtype}`;
  const kernel = KERNELS[pair];
  if (kernel === undefined) {
    throw new ToolError(
      "UNSUPPORTED",
      `${node}: rescaling ${pair} is not supported, only ${Object.keys(KERNELS).join(", ")}.`,
    );
  }
  const from = perTensor(input, node);
  const to = perTensor(output, node);
  const factor = fixedPoint(from.scale / to.scale);
  if (Math.max(factor.shift, 0) + INPUT_BITS[input.dtype]! > 32) {
    throw new ToolError(
      "UNSUPPORTED",
      `${node}: rescaling ${input.dtype} from scale ${from.scale} to ${to.scale} passes 32 bits; choose scales that lie closer together.`,
    );
  }
  return { kernel, factor, inZero: from.zeroPoint, outZero: to.zeroPoint };
}

export type Range = readonly [min: number, max: number];

export function requantized16(
  input: Tensor,
  data: TensorData,
  output: Tensor,
  [min, max]: Range,
  node: string,
): TensorData {
  const { factor, inZero, outZero } = rescaleOf(input, output, node);
  const out = zeros(output.dtype, data.length);
  for (let i = 0; i < data.length; i++) {
    const y = multiplyFixedPoint((data[i] as number) - inZero, factor) + outZero;
    out[i] = Math.min(max, Math.max(min, y));
  }
  return out;
}

export function emitRequantize16(
  lowering: Lowering,
  from: Ref,
  input: Tensor,
  to: Ref,
  output: Tensor,
  [min, max]: Range,
  node: string,
): void {
  const { kernel, factor, inZero, outZero } = rescaleOf(input, output, node);
  lowering.emit({
    op: Op.Requantize,
    kernel,
    input: from,
    output: to,
    fields: [
      [Requantize.Count, elementCount(input.shape)],
      [Requantize.Multiplier, factor.multiplier],
      [Requantize.Shift, factor.shift],
      [Requantize.InZero, inZero],
      [Requantize.OutZero, outZero],
      [Requantize.Min, min],
      [Requantize.Max, max],
    ],
    inPlace: input.dtype === output.dtype,
    kernelName: `fixed point ${input.dtype} → ${output.dtype}`,
  });
}
