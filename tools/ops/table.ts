// Operators that are a function of one 8-bit value: a table of 256 bytes, made here, is both the
// reference and what the core looks up. Whatever arithmetic made it lies in the file, so no machine
// that runs the model repeats it.
// Invariant: a table depends on the node's attributes and on the two tensors' dtypes and quantization only.

import { Lookup, LookupKernel, Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type Node, type OpName, type Tensor } from "../graph/graph.ts";
import type { Lowering, Operator, Ref } from "./operator.ts";
import { integerRange, perTensor, roundEven } from "./quantization.ts";
import { present, requireDType } from "./window.ts";

/** An 8-bit integer's place in a table. */
function byteOf(value: number): number {
  return value & 255;
}

/** The table of `apply`, whose results are clamped to the output's dtype. */
export function integerTable(input: Tensor, output: Tensor, apply: (value: number) => number): Uint8Array {
  const [first, last] = integerRange(input.dtype);
  const [min, max] = integerRange(output.dtype);
  const table = new Uint8Array(256);
  for (let value = first; value <= last; value++) {
    table[byteOf(value)] = byteOf(Math.min(max, Math.max(min, apply(value))));
  }
  return table;
}

/**
 * The table of a real function, by XNNPACK's rule for the functions it has no kernel of:
 * rne(f32(f32(f32(x − zx) · sx → f) · f32(1 / sy)) + zy).
 */
export function realTable(input: Tensor, output: Tensor, node: string, f: (x: number) => number): Uint8Array {
  const from = perTensor(input, node);
  const to = perTensor(output, node);
  const inverse = Math.fround(1 / to.scale);
  return integerTable(input, output, (value) => {
    const y = Math.fround(f(Math.fround((value - from.zeroPoint) * from.scale)));
    return roundEven(Math.fround(Math.fround(y * inverse) + to.zeroPoint));
  });
}

/** Looks every byte of `data` up; the result has the output's dtype. */
export function lookUp(table: Uint8Array, data: ArrayLike<number>, dtype: string): Int8Array | Uint8Array {
  const bytes = Uint8Array.from({ length: data.length }, (_, i) => table[byteOf(data[i]!)]!);
  return dtype === "int8" ? new Int8Array(bytes.buffer) : bytes;
}

/** Emits the step that looks `count` bytes up. */
export function emitLookup(lowering: Lowering, table: Uint8Array, input: Ref, output: Ref, count: number): void {
  const isFlip = table.every((byte, i) => byte === (i ^ 128));
  lowering.emit({
    op: Op.Lookup,
    kernel: isFlip ? LookupKernel.Flip : LookupKernel.Table,
    input,
    output,
    ...(!isFlip && { params: lowering.params(table) }),
    fields: [[Lookup.Count, count]],
    inPlace: true,
    kernelName: isFlip ? "flip the top bit" : "table of 256 bytes",
  });
}

export interface TableKernel<K extends OpName> {
  readonly name: K;
  /** of input and of output; int8 alone when left out */
  readonly dtypes?: readonly string[];
  /** Throws where there is no table for these tensors. */
  table(node: Node<K>, input: Tensor, output: Tensor): Uint8Array;
}

export function tableOperator<K extends OpName>(kernel: TableKernel<K>): Operator<K> {
  return {
    name: kernel.name,

    check(node, inputs, outputs) {
      const x = present(inputs[0], node.name, "input");
      const output = outputs[0]!;
      for (const tensor of [x, output]) {
        requireDType(tensor, kernel.dtypes ?? ["int8"], node.name);
        const { scale } = perTensor(tensor, node.name);
        if (!(scale > 0 && scale < Infinity)) {
          throw new ToolError(
            "BAD_GRAPH",
            `${node.name}: tensor "${tensor.name}" has scale ${scale} but a scale is positive and finite; repair the model.`,
          );
        }
      }
      return [{ shape: x.shape, dtype: output.dtype }];
    },

    reference(node, [x], [output]) {
      return [lookUp(kernel.table(node, x!, output!), x!.data as Int8Array, output!.dtype)];
    },

    lower(node, lowering) {
      const x = lowering.tensor(node.inputs[0]!);
      const output = lowering.tensor(node.outputs[0]!);
      const table = kernel.table(node, x, output);
      emitLookup(lowering, table, lowering.at(node.inputs[0]!), lowering.at(node.outputs[0]!), elementCount(x.shape));
    },
  };
}
