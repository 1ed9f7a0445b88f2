// zip: f(a, b) of float32 or int32 values with NumPy broadcasting. One IEEE operation a value (pow: floatMath.ts).
// Invariant: int32 results wrap; an int32 divided by 0 is 0.

import { Op } from "../../assembly/abi.ts";
import { ZipFn } from "../../assembly/floatAbi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type ZipName, zeros } from "../graph/graph.ts";
import { broadcastAxes, broadcastShape, mergedAxes, shapeFields } from "./broadcast.ts";
import { zipFloat, zipInt } from "./floatMath.ts";
import type { Lowering, Operator, Ref } from "./operator.ts";
import { present, requireDType } from "./window.ts";

const CODES: Readonly<Record<ZipName, ZipFn>> = {
  add: ZipFn.Add,
  sub: ZipFn.Sub,
  mul: ZipFn.Mul,
  div: ZipFn.Div,
  min: ZipFn.Min,
  max: ZipFn.Max,
  pow: ZipFn.Pow,
  mod: ZipFn.Mod,
  fmod: ZipFn.Fmod,
  prelu: ZipFn.Prelu,
  equal: ZipFn.Equal,
  less: ZipFn.Less,
  lessEqual: ZipFn.LessEqual,
  and: ZipFn.IntAnd,
  or: ZipFn.IntOr,
  xor: ZipFn.IntXor,
  shiftLeft: ZipFn.IntShiftLeft,
  shiftRight: ZipFn.IntShiftRight,
};

const COMPARISONS: readonly ZipName[] = ["equal", "less", "lessEqual"];

/** Calls `visit` with the places of a and b for each output cell, in order. */
export function forBroadcast(
  a: readonly number[],
  b: readonly number[],
  output: readonly number[],
  visit: (at: number, a: number, b: number) => void,
): void {
  const axes = broadcastAxes(a, b, output);
  const walk = (axis: number, at: number, atA: number, atB: number): number => {
    if (axis === axes.length) {
      visit(at, atA, atB);
      return at + 1;
    }
    const { size, aStride, bStride } = axes[axis]!;
    let next = at;
    for (let i = 0; i < size; i++) next = walk(axis + 1, next, atA + i * aStride, atB + i * bStride);
    return next;
  };
  walk(0, 0, 0, 0);
}

/** Emits the core's zip with any code. Throws UNSUPPORTED where the broadcast takes more than four axes. */
export function emitZip(
  lowering: Lowering,
  node: string,
  code: ZipFn,
  a: { ref: Ref; shape: readonly number[] },
  b: { ref: Ref; shape: readonly number[] },
  output: { ref: Ref; shape: readonly number[] },
  kernelName: string,
): void {
  lowering.emit({
    op: Op.Zip,
    kernel: code,
    input: a.ref,
    input2: b.ref,
    output: output.ref,
    fields: shapeFields(mergedAxes(a.shape, b.shape, output.shape, node)),
    inPlace: code !== ZipFn.Choose && elementCount(a.shape) === elementCount(output.shape),
    kernelName,
  });
}

export const zip: Operator<"zip"> = {
  name: "zip",

  check(node, inputs) {
    const a = present(inputs[0], node.name, "first input");
    const b = present(inputs[1], node.name, "second input");
    const { fn } = node.attrs;
    requireDType(a, CODES[fn] >= ZipFn.IntAnd ? ["int32"] : ["float32", "int32"], node.name);
    if (a.dtype !== b.dtype) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: ${fn} of ${a.dtype} "${a.name}" and ${b.dtype} "${b.name}"; convert one to the other's dtype.`,
      );
    }
    const shape = broadcastShape(a.shape, b.shape, node.name);
    mergedAxes(a.shape, b.shape, shape, node.name);
    return [{ shape, dtype: COMPARISONS.includes(fn) ? "int32" : a.dtype }];
  },

  reference(node, [a, b], [output]) {
    const code = CODES[node.attrs.fn];
    const [x, y] = [a!.data as Float32Array, b!.data as Float32Array];
    const result = zeros(output!.dtype, elementCount(output!.shape));
    const apply = a!.dtype === "int32" ? zipInt : zipFloat;
    forBroadcast(a!.shape, b!.shape, output!.shape, (at, atA, atB) => {
      result[at] = apply(code, x[atA]!, y[atB]!);
    });
    return [result];
  },

  lower(node, lowering) {
    const { fn } = node.attrs;
    const [a, b, output] = [node.inputs[0]!, node.inputs[1]!, node.outputs[0]!].map((id) => ({
      ref: lowering.at(id),
      shape: lowering.tensor(id).shape,
    }));
    const integer = lowering.tensor(node.inputs[0]!).dtype === "int32";
    const code = integer && CODES[fn] < ZipFn.Int ? CODES[fn] + ZipFn.Int : CODES[fn];
    emitZip(lowering, node.name, code, a!, b!, output!, `${fn} ${integer ? "i32" : "f32"}`);
  },
};
