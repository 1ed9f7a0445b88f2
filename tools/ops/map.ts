// map: y = f(x) for each value. float32 functions are computed in float64 and rounded once (floatMath.ts), so
// they are within one unit in the last place of the true value and the same on every build. Between int8
// tensors a float function is a table.

import { Op } from "../../assembly/abi.ts";
import { MapField, MapFn } from "../../assembly/floatAbi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type MapName, type Node, type Tensor } from "../graph/graph.ts";
import { mapFloat, mapInt } from "./floatMath.ts";
import type { Operator } from "./operator.ts";
import { emitLookup, lookUp, realTable } from "./table.ts";
import { present, requireDType } from "./window.ts";

/** The codes of the core. */
export const MAP_CODES: Readonly<Record<MapName, MapFn>> = {
  neg: MapFn.Neg,
  abs: MapFn.Abs,
  floor: MapFn.Floor,
  ceil: MapFn.Ceil,
  round: MapFn.Round,
  sign: MapFn.Sign,
  sqrt: MapFn.Sqrt,
  reciprocal: MapFn.Reciprocal,
  exp: MapFn.Exp,
  log: MapFn.Log,
  sin: MapFn.Sin,
  cos: MapFn.Cos,
  tanh: MapFn.Tanh,
  sigmoid: MapFn.Sigmoid,
  erf: MapFn.Erf,
  gelu: MapFn.Gelu,
  geluTanh: MapFn.GeluTanh,
  leakyRelu: MapFn.LeakyRelu,
  elu: MapFn.Elu,
  softplus: MapFn.Softplus,
  hardSigmoid: MapFn.HardSigmoid,
  hardSwish: MapFn.HardSwish,
  clip: MapFn.Clip,
  affine: MapFn.Affine,
  thresholdedRelu: MapFn.ThresholdedRelu,
  silu: MapFn.Silu,
  atan: MapFn.Atan,
  isNan: MapFn.IsNan,
  isInf: MapFn.IsInf,
  toInt: MapFn.ToInt,
  fromInt: MapFn.FromInt,
  not: MapFn.Not,
  bitNot: MapFn.BitNot,
  wrap: MapFn.Wrap,
};

const INTEGER: Partial<Record<MapName, MapFn>> = {
  neg: MapFn.IntNeg,
  abs: MapFn.IntAbs,
  clip: MapFn.IntClip,
};

/** From and to which dtype the function goes when its input is `dtype`; undefined where there is no such function. */
function signature(fn: MapName, dtype: string): { code: MapFn; output: "float32" | "int32" } | undefined {
  const code = MAP_CODES[fn];
  if (dtype === "float32" && code < MapFn.IsNan) return { code, output: "float32" };
  if (dtype === "float32" && code <= MapFn.ToInt) return { code, output: "int32" };
  if (dtype !== "int32") return undefined;
  if (code === MapFn.FromInt) return { code, output: "float32" };
  const integer = INTEGER[fn] ?? (code > MapFn.FromInt ? code : undefined);
  return integer === undefined ? undefined : { code: integer, output: "int32" };
}

const tableOf = ({ attrs, name }: Node<"map">, x: Tensor, output: Tensor): Uint8Array =>
  realTable(x, output, name, (real) => mapFloat(MAP_CODES[attrs.fn], real, Math.fround(attrs.a), Math.fround(attrs.b)));

export const map: Operator<"map"> = {
  name: "map",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    requireDType(x, ["float32", "int32", "int8"], node.name);
    if (x.dtype === "int8" && MAP_CODES[node.attrs.fn] < MapFn.IsNan) {
      requireDType(outputs[0]!, ["int8"], node.name);
      return [{ shape: x.shape, dtype: "int8" }];
    }
    const found = signature(node.attrs.fn, x.dtype);
    if (!found) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: the function ${node.attrs.fn} takes no ${x.dtype} but "${x.name}" is one; convert it first.`,
      );
    }
    return [{ shape: x.shape, dtype: found.output }];
  },

  reference(node, [x], [output]) {
    if (x!.dtype === "int8") return [lookUp(tableOf(node, x!, output!), x!.data as Int8Array, "int8")];
    const { fn, a, b } = node.attrs;
    const { code, output: dtype } = signature(fn, x!.dtype)!;
    const data = x!.data as Float32Array;
    if (code === MapFn.FromInt) return [Float32Array.from(data)];
    if (dtype === "int32") return [Int32Array.from(data, (value) => mapInt(code, value, a, b))];
    const fa = Math.fround(a);
    const fb = Math.fround(b);
    return [Float32Array.from(data, (value) => mapFloat(code, value, fa, fb))];
  },

  lower(node, lowering) {
    const [xId, yId] = [node.inputs[0]!, node.outputs[0]!];
    const x = lowering.tensor(xId);
    const count = elementCount(x.shape);
    if (x.dtype === "int8") {
      emitLookup(lowering, tableOf(node, x, lowering.tensor(yId)), lowering.at(xId), lowering.at(yId), count);
      return;
    }
    const { fn, a, b } = node.attrs;
    const { code } = signature(fn, x.dtype)!;
    const constants: [number, number][] = [
      [MapField.A, a],
      [MapField.B, b],
    ];
    const asFloats = code < MapFn.IsNan;
    lowering.emit({
      op: Op.Map,
      kernel: code,
      input: lowering.at(xId),
      output: lowering.at(yId),
      fields: [[MapField.Count, count], ...(asFloats ? [] : constants)],
      floats: asFloats ? constants : [],
      inPlace: true,
      kernelName: `${fn} ${x.dtype === "float32" ? "f32" : "i32"}`,
    });
  },
};
