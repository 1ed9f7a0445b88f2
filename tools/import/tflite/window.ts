// TFLite's rules for sliding windows: SAME and VALID to explicit cells, and fused activations.
// Invariant: `out = floor((size + before + after − effective kernel) / stride) + 1`.

import type { Activation, Padding } from "../../graph/graph.ts";
import { ActivationFunctionType, Padding as PaddingRule } from "./generated/tflite.ts";
import type { OperatorContext } from "./operator.ts";

export interface Axis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
}

interface Extent {
  readonly out: number;
  readonly before: number;
  readonly after: number;
}

/** Keeps a hostile file from making the packer walk over billions of cells of padding. */
const MAX_REACH = 65536;

/** SAME: out = ⌈size / stride⌉, and the odd cell of padding comes after. */
function extent(op: OperatorContext, rule: PaddingRule, axis: Axis): Extent {
  const { size, kernel, stride, dilation } = axis;
  if (kernel < 1 || stride < 1 || dilation < 1) {
    throw op.contradiction(`has kernel ${kernel}, stride ${stride} and dilation ${dilation}, expected 1 or more`);
  }
  const reach = (kernel - 1) * dilation + 1;
  if (reach > MAX_REACH || stride > MAX_REACH) {
    throw op.unsupported(`has a window of ${reach} cells and stride ${stride}, expected at most ${MAX_REACH}`);
  }
  if (rule === PaddingRule.SAME) {
    const out = Math.ceil(size / stride);
    const total = Math.max(0, (out - 1) * stride + reach - size);
    const before = Math.floor(total / 2);
    return { out, before, after: total - before };
  }
  if (rule !== PaddingRule.VALID) throw op.contradiction(`has padding rule ${rule}, expected SAME (0) or VALID (1)`);
  if (reach > size) throw op.contradiction(`has a window of ${reach} cells over ${size} cells without padding`);
  return { out: Math.floor((size - reach) / stride) + 1, before: 0, after: 0 };
}

export function slide(
  op: OperatorContext,
  rule: PaddingRule,
  vertical: Axis,
  horizontal: Axis,
): { outH: number; outW: number; padding: Padding } {
  const v = extent(op, rule, vertical);
  const h = extent(op, rule, horizontal);
  return { outH: v.out, outW: h.out, padding: { top: v.before, bottom: v.after, left: h.before, right: h.after } };
}

export function fusedActivation(op: OperatorContext, type: ActivationFunctionType): Activation {
  switch (type) {
    case ActivationFunctionType.NONE:
      return "none";
    case ActivationFunctionType.RELU:
      return "relu";
    case ActivationFunctionType.RELU6:
      return "relu6";
    case ActivationFunctionType.RELU_N1_TO_1:
      return "reluN1To1";
    default:
      throw op.unsupported(
        `has fused activation ${ActivationFunctionType[type] ?? type}, expected NONE, RELU, RELU6 or RELU_N1_TO_1`,
        "keep the activation as an operator of its own",
      );
  }
}
