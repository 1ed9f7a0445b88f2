// mean: out = clamp(rne(f32(f32(Σ x) · scale + zero))) with scale = f32(f32(sx / sy) · f32(1 / count))
// and zero = f32(zy − f32(f32(count · zx) · scale)): XNNPACK's rule, one sum over all the axes.
// Axes that do not lie together are brought in front of the others by a copy first.

import { Copy, Mean, Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type Node, type Tensor } from "../graph/graph.ts";
import type { Lowering, Operator, Ref } from "./operator.ts";
import { integerRange, perTensor, roundEven } from "./quantization.ts";
import { emitBox, stridesOf } from "./stridedCopy.ts";
import { present, requireDType } from "./window.ts";

/** Most values of one mean: assembly/ops/mean.ts says why. */
const MOST_VALUES = 2 ** 23;

interface Rule {
  readonly scale: number;
  readonly zero: number;
}

function ruleOf(input: Tensor, output: Tensor, count: number, node: string): Rule {
  const from = perTensor(input, node);
  const to = perTensor(output, node);
  const scale = Math.fround(Math.fround(from.scale / to.scale) * Math.fround(1 / count));
  const zero = Math.fround(to.zeroPoint - Math.fround(Math.fround(count * from.zeroPoint) * scale));
  return { scale, zero };
}

/** Neighbouring axes of one kind, as one. */
interface Run {
  readonly size: number;
  readonly reduced: boolean;
}

function runsOf(node: Node<"mean">, shape: readonly number[]): Run[] {
  const runs: Run[] = [];
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue;
    const reduced = node.attrs.axes.includes(axis);
    const last = runs.at(-1);
    if (last?.reduced === reduced) runs.splice(-1, 1, { size: last.size * size, reduced });
    else runs.push({ size, reduced });
  }
  return runs;
}

const product = (runs: readonly Run[]): number => runs.reduce((size, run) => size * run.size, 1);

function reducedCount(node: Node<"mean">, shape: readonly number[]): number {
  return node.attrs.axes.reduce((count, axis) => count * shape[axis]!, 1);
}

export const mean: Operator<"mean"> = {
  name: "mean",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    const { axes, keepDims } = node.attrs;
    for (const tensor of [x, outputs[0]!]) requireDType(tensor, ["int8"], node.name);
    if (new Set(axes).size !== axes.length || axes.some((axis) => !(axis >= 0 && axis < x.shape.length))) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: axes [${axes}] are not distinct axes of [${x.shape}]; list each once, from 0 to ${x.shape.length - 1}.`,
      );
    }
    const count = reducedCount(node, x.shape);
    const { scale, zero } = ruleOf(x, outputs[0]!, count, node.name);
    if (count > MOST_VALUES || !Number.isFinite(scale) || !Number.isFinite(zero)) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node.name}: a mean of ${count} values with scale ${scale} is out of range; at most ${MOST_VALUES} values and finite scales are supported.`,
      );
    }
    if (runsOf(node, x.shape).length > Copy.Rank) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node.name}: axes [${axes}] of [${x.shape}] alternate with kept ones too often; reshape so that they lie together.`,
      );
    }
    const kept = x.shape.flatMap((size, axis) => (!axes.includes(axis) ? [size] : keepDims ? [1] : []));
    return [{ shape: kept, dtype: "int8" }];
  },

  reference(node, [x], [output]) {
    const data = x!.data as Int8Array;
    const { scale, zero } = ruleOf(x!, output!, reducedCount(node, x!.shape), node.name);
    const [min, max] = integerRange("int8");
    const sums = new Float64Array(elementCount(output!.shape));
    for (let i = 0; i < data.length; i++) {
      // The output's index is the input's without the reduced axes.
      let rest = i;
      let at = 0;
      let stride = 1;
      for (let axis = x!.shape.length - 1; axis >= 0; axis--) {
        const size = x!.shape[axis]!;
        const index = rest % size;
        rest = (rest - index) / size;
        if (node.attrs.axes.includes(axis)) continue;
        at += index * stride;
        stride *= size;
      }
      sums[at]! += data[i]!;
    }
    return [
      Int8Array.from(sums, (sum) => {
        const real = roundEven(Math.fround(Math.fround(Math.fround(sum) * scale) + zero));
        return Math.min(max, Math.max(min, real));
      }),
    ];
  },

  lower(node, lowering) {
    const x = lowering.tensor(node.inputs[0]!);
    const output = lowering.tensor(node.outputs[0]!);
    const runs = runsOf(node, x.shape);
    const reduced = runs.filter((run) => run.reduced);
    const first = runs.findIndex((run) => run.reduced);
    // One run of reduced axes is summed where it lies; more are gathered in front.
    const together = reduced.length <= 1;
    const outer = together ? product(runs.slice(0, Math.max(0, first))) : 1;
    const reduce = product(reduced);
    const { scale, zero } = ruleOf(x, output, reducedCount(node, x.shape), node.name);
    const [min, max] = integerRange("int8");
    lowering.emit({
      op: Op.Mean,
      input: together ? lowering.at(node.inputs[0]!) : gather(node, lowering, runs),
      output: lowering.at(node.outputs[0]!),
      fields: [
        [Mean.Outer, outer],
        [Mean.Reduce, reduce],
        [Mean.Inner, elementCount(output.shape) / outer],
        [Mean.Min, min],
        [Mean.Max, max],
      ],
      floats: [
        [Mean.Scale, scale],
        [Mean.Zero, zero],
      ],
      kernelName: "strips of 16 s8",
    });
  },
};

/** Copies the input to a temporary with the reduced axes first. */
function gather(node: Node<"mean">, lowering: Lowering, runs: readonly Run[]): Ref {
  const order = [...runs.keys()].sort((i, j) => Number(runs[j]!.reduced) - Number(runs[i]!.reduced) || i - j);
  const gathered = stridesOf(order.map((run) => runs[run]!.size));
  const dims = runs.map((run) => run.size);
  const outStrides = dims.map((_, run) => gathered[order.indexOf(run)]!);
  const to = lowering.temporary(product(runs));
  const box = { dims, inStrides: stridesOf(dims), inOffset: 0, outStrides, outOffset: 0 };
  emitBox(lowering, node.name, lowering.at(node.inputs[0]!), () => to, box, "int8");
  return to;
}
