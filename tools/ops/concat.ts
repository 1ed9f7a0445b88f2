// concat: joins its inputs along one axis. An input of the output's own quantization is copied; another
// is rescaled on the way: q' = clamp(rne(f32(f32(s·(q − z)) / s')) + z'), a table for 8-bit values, and
// for int16 the integer multiplier of requantize16.ts. A fused activation clamps either way.

import { Lookup, Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { DTYPE_BYTES, elementCount, type Node, type Tensor, type TensorData, zeros } from "../graph/graph.ts";
import type { Lowering, Operator, Ref } from "./operator.ts";
import { clampRange, perTensor, roundEven } from "./quantization.ts";
import { emitRequantize16, requantized16, rescaleOf } from "./requantize16.ts";
import { type Box, emitBox, emitCopy, moveBox, stridesOf } from "./stridedCopy.ts";
import { present } from "./window.ts";

const REAL_NUMBERS = ["int8", "uint8", "int16"];

/** The part of the output that input `index` fills; the input is contiguous. */
function boxOf(node: Node<"concat">, inputs: readonly Tensor[], index: number, output: Tensor): Box {
  const { axis } = node.attrs;
  const before = inputs.slice(0, index).reduce((sum, input) => sum + input.shape[axis]!, 0);
  const outStrides = stridesOf(output.shape);
  const { shape } = inputs[index]!;
  return { dims: shape, inStrides: stridesOf(shape), inOffset: 0, outStrides, outOffset: before * outStrides[axis]! };
}

/** Whether the input's integers mean the same in the output and no activation changes them. */
function isPlain(node: Node<"concat">, input: Tensor, output: Tensor): boolean {
  if (!REAL_NUMBERS.includes(output.dtype) || !input.quant || !output.quant) return true;
  const from = perTensor(input, node.name);
  const to = perTensor(output, node.name);
  return node.attrs.activation === "none" && from.scale === to.scale && from.zeroPoint === to.zeroPoint;
}

/** What each 8-bit value becomes, indexed by the value read as unsigned. */
function rescaleTable(node: Node<"concat">, input: Tensor, output: Tensor): Uint8Array {
  const from = perTensor(input, node.name);
  const to = perTensor(output, node.name);
  const [min, max] = clampRange(node.attrs.activation, output, node.name);
  const table = new Uint8Array(256);
  for (let index = 0; index < 256; index++) {
    const q = input.dtype === "int8" ? (index << 24) >> 24 : index;
    const real = Math.fround(Math.fround(from.scale) * (q - from.zeroPoint));
    table[index] = Math.min(max, Math.max(min, roundEven(Math.fround(real / to.scale)) + to.zeroPoint));
  }
  return table;
}

function rescaled(node: Node<"concat">, input: Tensor, data: TensorData, output: Tensor): TensorData {
  if (input.dtype === "int16") {
    return requantized16(input, data, output, clampRange(node.attrs.activation, output, node.name), node.name);
  }
  const table = rescaleTable(node, input, output);
  const out = zeros(output.dtype, data.length);
  for (let i = 0; i < data.length; i++) out[i] = table[Number(data[i]) & 255]!;
  return out;
}

/** Emits the steps that rescale input `id` into `to`. */
function emitRescale(node: Node<"concat">, lowering: Lowering, id: number, output: Tensor, to: Ref): void {
  const input = lowering.tensor(id);
  if (input.dtype === "int16") {
    const range = clampRange(node.attrs.activation, output, node.name);
    emitRequantize16(lowering, lowering.at(id), input, to, output, range, node.name);
    return;
  }
  lowering.emit({
    op: Op.Lookup,
    input: lowering.at(id),
    output: to,
    params: lowering.params(rescaleTable(node, input, output)),
    fields: [[Lookup.Count, elementCount(input.shape)]],
    kernelName: "rescaling table",
  });
}

export const concat: Operator<"concat"> = {
  name: "concat",

  check(node, inputs, outputs) {
    const { axis, activation } = node.attrs;
    const output = outputs[0]!;
    const first = present(inputs[0], node.name, "first input");
    let extent = 0;
    for (const [index, given] of inputs.entries()) {
      const input = present(given, node.name, `input ${index}`);
      const fits =
        axis >= 0 &&
        axis < first.shape.length &&
        input.shape.length === first.shape.length &&
        input.shape.every((dim, a) => a === axis || dim === first.shape[a]);
      if (!fits || input.dtype !== first.dtype) {
        throw new ToolError(
          "BAD_GRAPH",
          `${node.name}: input ${index} is ${input.dtype} [${input.shape}] but must be ${first.dtype} [${first.shape}] on all axes other than ${axis}; reshape or convert it first.`,
        );
      }
      if ((input.quant === undefined) !== (output.quant === undefined)) {
        throw new ToolError(
          "BAD_GRAPH",
          `${node.name}: input "${input.name}" and output "${output.name}" must both be quantized or neither; quantize the model to full integers.`,
        );
      }
      if (!isPlain(node, input, output) && input.dtype === "int16") rescaleOf(input, output, node.name);
      extent += input.shape[axis]!;
    }
    if (activation !== "none" && !REAL_NUMBERS.includes(first.dtype)) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node.name}: a fused ${activation} needs quantized inputs but they are ${first.dtype}; make it an operator of its own.`,
      );
    }
    return [{ shape: first.shape.map((dim, a) => (a === axis ? extent : dim)), dtype: first.dtype }];
  },

  reference(node, inputs, [output]) {
    const values = inputs.map((input) => input!);
    const out = zeros(output!.dtype, elementCount(output!.shape));
    for (const [index, input] of values.entries()) {
      const data = isPlain(node, input, output!) ? input.data : rescaled(node, input, input.data, output!);
      moveBox(boxOf(node, values, index, output!), data, out);
    }
    return [out];
  },

  lower(node, lowering) {
    const inputs = node.inputs.map((id) => lowering.tensor(id));
    const target = node.outputs[0]!;
    const output = lowering.tensor(target);
    const outer = elementCount(output.shape.slice(0, node.attrs.axis));
    for (const [index, id] of node.inputs.entries()) {
      const input = inputs[index]!;
      const box = boxOf(node, inputs, index, output);
      const place = (offset: number): Ref => lowering.at(target, offset);
      if (isPlain(node, input, output)) {
        emitCopy(lowering, node.name, id, place, box);
      } else if (outer === 1) {
        // The input is one run of the output: rescale it straight into place.
        emitRescale(node, lowering, id, output, place(box.outOffset * DTYPE_BYTES[output.dtype]));
      } else {
        const temporary = lowering.temporary(elementCount(input.shape) * DTYPE_BYTES[input.dtype]);
        emitRescale(node, lowering, id, output, temporary);
        emitBox(lowering, node.name, temporary, place, box, output.dtype);
      }
    }
  },
};
