// The integer operator that does what a float node does, given that its inputs are dequantized and its output is
// quantized: convolution, product, sum, pool, softmax, function by table.
// Invariant: weights and biases are read back from their real values only where these are exactly on their grid.

import { clampOf } from "./activations.ts";
import type { Attributes, DType, Node, OpName, Quantization, Tensor } from "./graph.ts";
import type { Rewrite } from "./rewrite.ts";

export interface IntegerForm<K extends OpName = OpName> {
  readonly op: K;
  readonly inputs: readonly number[];
  readonly attrs: Attributes[K];
}

const form = <K extends OpName>(op: K, inputs: readonly number[], attrs: Attributes[K]): IntegerForm =>
  ({ op, inputs, attrs }) as IntegerForm;

/** The integers behind a float tensor: those that were dequantized, or a constant's own. */
function integers(rewrite: Rewrite, id: number): number | undefined {
  const node = rewrite.producer(id);
  if (node?.op === "dequantize") return node.inputs[0];
  const tensor = rewrite.at(id);
  if (!tensor.data || tensor.quant?.scale.length !== 1) return undefined;
  return codes(rewrite, tensor, tensor.shape, tensor.quant, (at) => at);
}

/** A constant's integers, moved so that cell `at` of `shape` comes from cell `from(at)`; undefined where one is not on the grid. */
function codes(
  rewrite: Rewrite,
  tensor: Tensor,
  shape: readonly number[],
  quant: Quantization,
  from: (at: number) => number,
  axis = 0,
): number | undefined {
  const data = tensor.data as Float32Array;
  const { scale, zeroPoint } = tensor.quant!;
  const own = tensor.quant!.axis;
  const inner = tensor.shape.slice(own + 1).reduce((product, size) => product * size, 1);
  const values = new Int32Array(data.length);
  let [least, most] = [0, 0];
  for (let at = 0; at < values.length; at++) {
    const cell = from(at);
    const c = scale.length === 1 ? 0 : Math.floor(cell / inner) % tensor.shape[own]!;
    const code = Math.round(data[cell]! / scale[c]!) + zeroPoint[c]!;
    if (Math.fround(scale[c]! * (code - zeroPoint[c]!)) !== data[cell]) return undefined;
    values[at] = code;
    [least, most] = [Math.min(least, code), Math.max(most, code)];
  }
  if (least < -128 || most > 255 || (least < 0 && most > 127)) return undefined;
  const dtype: DType = most > 127 ? "uint8" : "int8";
  const ints = dtype === "int8" ? Int8Array.from(values) : Uint8Array.from(values);
  return rewrite.tensor({
    name: `${tensor.name}/integers`,
    shape,
    dtype,
    data: ints,
    quant: { scale: quant.scale, zeroPoint: quant.zeroPoint, axis },
  });
}

/** The bias as int32 of scale s_x · s_w[channel]; −1 where there is none, undefined where it does not fit. */
function biasOf(rewrite: Rewrite, id: number | undefined, x: Tensor, weights: Quantization): number | undefined {
  if (id === undefined || id < 0) return -1;
  const { data, shape, name } = rewrite.at(id);
  if (!data || x.quant?.scale.length !== 1) return undefined;
  const values = Array.from(data as Float32Array, (real, c) =>
    Math.round(real / Math.fround(x.quant!.scale[0]! * weights.scale[weights.scale.length === 1 ? 0 : c]!)),
  );
  if (values.some((value) => !(Math.abs(value) < 2 ** 31))) return undefined;
  return rewrite.tensor({ name: `${name}/integers`, shape, dtype: "int32", data: Int32Array.from(values) });
}

export function integerForm(rewrite: Rewrite, node: Node, y: number): IntegerForm | undefined {
  switch (node.op) {
    case "floatConv":
      return convolution(rewrite, node, y);
    case "floatMatmul":
      return product(rewrite, node, y);
    case "zip": {
      const { fn } = node.attrs;
      if (fn !== "add" && fn !== "sub" && fn !== "mul") return undefined;
      const [a, b] = node.inputs.map((id) => integers(rewrite, id));
      return a === undefined || b === undefined ? undefined : form(fn, [a, b], { activation: "none" });
    }
    case "map":
      return (node.attrs.fn === "clip" ? clamped(rewrite, node, y) : undefined) ?? single(rewrite, node);
    default:
      return single(rewrite, node);
  }
}

/** A clamp after a sum or a product is that operator's activation. */
function clamped(rewrite: Rewrite, node: Node<"map">, y: number): IntegerForm | undefined {
  const before = rewrite.producer(node.inputs[0]);
  const activation = clampOf({ min: node.attrs.a, max: node.attrs.b }, rewrite.at(y));
  if (before?.op !== "zip" || activation === undefined || rewrite.only(node.inputs[0]!) !== node) return undefined;
  const joined = integerForm(rewrite, before, y);
  if (joined?.op !== "add" && joined?.op !== "sub" && joined?.op !== "mul") return undefined;
  return form(joined.op, joined.inputs, { activation });
}

/** Operators of one dequantized input. */
function single(rewrite: Rewrite, node: Node): IntegerForm | undefined {
  const x = integers(rewrite, node.inputs[0]!);
  if (x === undefined) return undefined;
  switch (node.op) {
    case "map":
      return form("map", [x], node.attrs);
    case "floatSoftmax":
      return node.attrs.log ? undefined : form("softmax", [x], { beta: 1 });
    case "reduce":
      return node.attrs.fn === "mean"
        ? form("mean", [x], { axes: node.attrs.axes, keepDims: node.attrs.keepDims })
        : undefined;
    case "concat": {
      const all = node.inputs.map((id) => integers(rewrite, id));
      return all.every((id) => id !== undefined) ? form("concat", all as number[], node.attrs) : undefined;
    }
    case "pad":
      return form("pad", [x], node.attrs);
    case "floatPool":
      return pool(node, x, rewrite);
    default:
      return undefined;
  }
}

function pool(node: Node<"floatPool">, x: number, rewrite: Rewrite): IntegerForm | undefined {
  const { kind, kernel, stride, dilation, pad, padAfter, countPad } = node.attrs;
  if (rewrite.at(x).shape.length !== 4 || kind === "argMax" || dilation.some((step) => step !== 1)) return undefined;
  if (kind === "average" && countPad && [...pad, ...padAfter].some(Boolean)) return undefined;
  const padding = { top: pad[1], bottom: padAfter[1], left: pad[2], right: padAfter[2] };
  const attrs = {
    kernelH: kernel[1],
    kernelW: kernel[2],
    strideH: stride[1],
    strideW: stride[2],
    padding,
    activation: "none" as const,
  };
  return form(kind === "max" ? "maxPool2d" : "averagePool2d", [x], attrs);
}

function convolution(rewrite: Rewrite, node: Node<"floatConv">, y: number): IntegerForm | undefined {
  const x = integers(rewrite, node.inputs[0]!);
  const weights = rewrite.at(node.inputs[1]!);
  const { quant, shape } = weights;
  const activation = clampOf(node.attrs, rewrite.at(y));
  if (x === undefined || !quant || shape.length !== 4 || activation === undefined) return undefined;
  if (quant.scale.length > 1 && quant.axis !== 0) return undefined;
  const [outC, kernelH, kernelW, perGroup] = shape as [number, number, number, number];
  const { groups, stride, dilation, pad, padAfter } = node.attrs;
  const isDepthwise = groups > 1 && perGroup === 1 && groups === rewrite.at(x).shape[3];
  if (groups > 1 && !isDepthwise) return undefined;
  const taps = kernelH * kernelW;
  const w = isDepthwise
    ? codes(rewrite, weights, [1, kernelH, kernelW, outC], quant, (at) => (at % outC) * taps + Math.floor(at / outC), 3)
    : codes(rewrite, weights, shape, quant, (at) => at, 0);
  const bias = biasOf(rewrite, node.inputs[2], rewrite.at(x), quant);
  if (w === undefined || bias === undefined) return undefined;
  const window = {
    strideH: stride[1],
    strideW: stride[2],
    dilationH: dilation[1],
    dilationW: dilation[2],
    padding: { top: pad[1], bottom: padAfter[1], left: pad[2], right: padAfter[2] },
    activation,
  };
  return isDepthwise
    ? form("depthwiseConv2d", [x, w, bias], { ...window, multiplier: outC / groups })
    : form("conv2d", [x, w, bias], window);
}

function product(rewrite: Rewrite, node: Node<"floatMatmul">, y: number): IntegerForm | undefined {
  const x = integers(rewrite, node.inputs[0]!);
  const weights = rewrite.at(node.inputs[1]!);
  const activation = clampOf(node.attrs, rewrite.at(y));
  if (x === undefined || activation === undefined) return undefined;
  const { transposeB } = node.attrs;
  if (!weights.data) {
    const b = integers(rewrite, node.inputs[1]!);
    return b === undefined || activation !== "none"
      ? undefined
      : form("batchMatmul", [x, b], { transposeA: false, transposeB });
  }
  const { quant, shape } = weights;
  if (!quant || shape.length !== 2) return undefined;
  const [n, k] = transposeB ? (shape as [number, number]) : ([shape[1]!, shape[0]!] as const);
  if (quant.scale.length > 1 && quant.axis !== (transposeB ? 0 : 1)) return undefined;
  const w = codes(
    rewrite,
    weights,
    [n, k],
    quant,
    transposeB ? (at) => at : (at) => (at % k) * n + Math.floor(at / k),
    0,
  );
  const bias = biasOf(rewrite, node.inputs[2], rewrite.at(x), quant);
  return w === undefined || bias === undefined ? undefined : form("fullyConnected", [x, w, bias], { activation });
}
