// What add, sub, mul and squaredDifference share: their checks, the reference's walk over a broadcast
// and the step. Each gives a rule: one output's integer from two inputs', and the step's constants.
// Invariant: int8 only, one scale and zero point a tensor.

import { Binary, type Op } from "../../assembly/abi.ts";
import { elementCount, type Node, type OpName, type Tensor } from "../graph/graph.ts";
import { broadcastAxes, broadcastShape, mergedAxes, shapeFields } from "./broadcast.ts";
import type { Operator } from "./operator.ts";
import { clampRange, perTensor } from "./quantization.ts";
import { present, requireDType } from "./window.ts";

export type BinaryName = Extract<OpName, "add" | "sub" | "mul" | "squaredDifference">;

export interface BinaryRule {
  /** before the clamp */
  apply(a: number, b: number): number;
  readonly fields: readonly (readonly [word: number, value: number])[];
  readonly floats?: readonly (readonly [word: number, value: number])[];
}

export interface BinaryKernel<K extends BinaryName> {
  readonly name: K;
  readonly op: Op;
  readonly kernelName: string;
  /** Throws UNSUPPORTED where the scales leave the rule's range. */
  rule(a: Tensor, b: Tensor, output: Tensor, node: string): BinaryRule;
}

function range(node: Node<BinaryName>, output: Tensor): readonly [number, number] {
  return clampRange(node.attrs.activation, output, node.name);
}

export function binaryOperator<K extends BinaryName>(kernel: BinaryKernel<K>): Operator<K> {
  return {
    name: kernel.name,

    check(node, inputs, outputs) {
      const a = present(inputs[0], node.name, "first input");
      const b = present(inputs[1], node.name, "second input");
      const output = outputs[0]!;
      for (const tensor of [a, b, output]) {
        requireDType(tensor, ["int8"], node.name);
        perTensor(tensor, node.name);
      }
      const shape = broadcastShape(a.shape, b.shape, node.name);
      mergedAxes(a.shape, b.shape, shape, node.name);
      kernel.rule(a, b, output, node.name);
      return [{ shape, dtype: "int8" }];
    },

    reference(node, [a, b], [output]) {
      const rule = kernel.rule(a!, b!, output!, node.name);
      const [min, max] = range(node as Node<BinaryName>, output!);
      const axes = broadcastAxes(a!.shape, b!.shape, output!.shape);
      const result = new Int8Array(elementCount(output!.shape));
      for (let i = 0; i < result.length; i++) {
        let rest = i;
        let atA = 0;
        let atB = 0;
        for (const axis of axes.toReversed()) {
          const index = rest % axis.size;
          rest = (rest - index) / axis.size;
          atA += index * axis.aStride;
          atB += index * axis.bStride;
        }
        const value = rule.apply(a!.data[atA] as number, b!.data[atB] as number);
        result[i] = Math.min(max, Math.max(min, value));
      }
      return [result];
    },

    lower(node, lowering) {
      const [aId, bId] = node.inputs as [number, number];
      const a = lowering.tensor(aId);
      const b = lowering.tensor(bId);
      const output = lowering.tensor(node.outputs[0]!);
      const rule = kernel.rule(a, b, output, node.name);
      const [min, max] = range(node as Node<BinaryName>, output);
      lowering.emit({
        op: kernel.op,
        input: lowering.at(aId),
        input2: lowering.at(bId),
        output: lowering.at(node.outputs[0]!),
        fields: [
          ...shapeFields(mergedAxes(a.shape, b.shape, output.shape, node.name)),
          [Binary.OutZero, perTensor(output, node.name).zeroPoint],
          [Binary.Min, min],
          [Binary.Max, max],
          ...rule.fields,
        ],
        floats: rule.floats ?? [],
        // A broadcast a is read again after its place has been written.
        inPlace: elementCount(a.shape) === elementCount(output.shape),
        kernelName: kernel.kernelName,
      });
    },
  };
}
