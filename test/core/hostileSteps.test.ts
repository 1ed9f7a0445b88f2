// Steps with wrong dimensions, strides, places and tables never escape the arena, on any build.

import { describe, expect, it } from "vitest";
import { ConvKernel } from "../../assembly/abi.ts";
import type { Attributes, Coding, DType, Graph, Node, OpName, Tensor } from "../../tools/graph/graph.ts";
import { buildImage } from "../../tools/pack/image.ts";
import { BUILDS } from "../support/conformance.ts";
import { weights as weightsOf } from "../support/floatCases.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
import { expectContained } from "../support/hostileSteps.ts";
import { symmetricWeights, wideBias } from "../support/int16Layers.ts";
import { Random } from "../support/random.ts";

const random = new Random(41);
const padding = { top: 1, bottom: 1, left: 1, right: 1 };
const window = { strideH: 2, strideW: 2, padding, activation: "none" } as const;
const dilated = { ...window, dilationH: 1, dilationW: 2 };
const none = { top: 0, bottom: 0, left: 0, right: 0 };
const square = { strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, padding: none, activation: "none" } as const;
const pool = { ...window, kernelH: 3, kernelW: 3 };
const real = (name: string, shape: readonly number[]): Tensor => ({ name, shape, dtype: "float32" });
const int8 = (name: string, shape: readonly number[], scale = 0.1) => activation(name, shape, scale, 3);

function graph<K extends OpName>(
  op: K,
  attrs: Attributes[K],
  inputs: readonly (Tensor | undefined)[],
  outputs: readonly Tensor[],
): Graph {
  return singleNode({ op, attrs } as Pick<Node, "op" | "attrs">, inputs, outputs);
}

const weights = (shape: readonly number[]): Tensor =>
  constant("w", shape, "int8", random.int8(shape.reduce((a, b) => a * b)), quant(0.01));
/** Mostly zero, in whole groups, so that the layer is laid out sparse. */
const sparse = (shape: readonly number[], low = -127, high = 127): Tensor => {
  const k = shape.slice(1).reduce((a, b) => a * b);
  const data = random.int8(shape[0]! * k, low, high);
  return constant(
    "w",
    shape,
    "int8",
    data.map((w, i) => (((i % k) >> 2) % 5 === 0 ? w : 0)),
    quant(0.01),
  );
};
/** Weights of few bits, those of groups too. */
const coded = (shape: readonly number[], coding: Coding, groups = 0): Tensor => ({
  ...constant(
    "w",
    shape,
    "int8",
    Int8Array.from({ length: shape.reduce((a, b) => a * b) }, () => (random.integer(0, 1) ? 1 : -1)),
    groups ? { ...quant(new Array(groups).fill(0.01)), groupSize: 16 } : quant(0.01),
  ),
  coding,
});
const int16 = (name: string, shape: readonly number[]) => activation(name, shape, 0.001, 0, "int16" as DType);
const resize = { outH: 7, outW: 6, alignCorners: false, halfPixelCenters: true };
const open = { min: -9, max: 9 };
const window3 = { stride: [1, 2, 2], dilation: [1, 1, 1], pad: [0, 1, 1], padAfter: [0, 1, 1] } as const;
const reals = (shape: readonly number[]): Tensor => weightsOf("w", shape, 7);

const GRAPHS: Readonly<Record<string, Graph>> = {
  transpose: graph("transpose", { permutation: [2, 0, 1] }, [int8("x", [3, 5, 7])], [int8("y", [7, 3, 5])]),
  stridedSlice: graph(
    "stridedSlice",
    { begin: [4, 0], strides: [-2, 1], sizes: [3, 5], squeeze: [] },
    [int16("x", [5, 9])],
    [int16("y", [3, 5])],
  ),
  pad: graph(
    "pad",
    {
      paddings: [
        [1, 1],
        [2, 0],
      ],
      value: 0,
    },
    [int16("x", [3, 4])],
    [int16("y", [5, 6])],
  ),
  concat: graph(
    "concat",
    { axis: 1, activation: "none" },
    [int16("a", [2, 3]), activation("b", [2, 4], 0.002, 0, "int16")],
    [int16("y", [2, 7])],
  ),
  resizeNearest: graph("resizeNearest", resize, [int8("x", [1, 3, 4, 5])], [int8("y", [1, 7, 6, 5])]),
  resizeBilinear: graph("resizeBilinear", resize, [int8("x", [1, 3, 4, 5])], [int8("y", [1, 7, 6, 5])]),
  batchMatmul: graph(
    "batchMatmul",
    { transposeA: false, transposeB: true },
    [int8("a", [2, 5, 9]), int8("b", [2, 7, 9])],
    [int8("y", [2, 5, 7])],
  ),
  batchMatmulColumns: graph(
    "batchMatmul",
    { transposeA: false, transposeB: false },
    [int8("a", [2, 5, 9]), int8("b", [2, 9, 7])],
    [int8("y", [2, 5, 7])],
  ),
  transposedConv2d: graph(
    "transposedConv2d",
    { ...window, outH: 7, outW: 9 },
    [int8("x", [1, 4, 5, 3]), weights([4, 3, 3, 3]), undefined],
    [int8("y", [1, 7, 9, 4])],
  ),
  int4: graph("conv2d", dilated, [int8("x", [1, 6, 7, 8]), coded([9, 3, 2, 8], "int4")], [int8("y", [1, 3, 4, 9])]),
  codebook: graph(
    "conv2d",
    square,
    [int8("x", [2, 3, 3, 50]), coded([9, 1, 1, 50], "codebook")],
    [int8("y", [2, 3, 3, 9])],
  ),
  ternary: graph(
    "conv2d",
    square,
    [int8("x", [1, 6, 7, 8]), coded([9, 3, 3, 8], "ternary")],
    [int8("y", [1, 4, 5, 9])],
  ),
  binary: graph(
    "fullyConnected",
    { activation: "none" },
    [int8("x", [6, 53]), coded([11, 53], "binary")],
    [int8("y", [6, 11])],
  ),
  binaryConv2d: graph(
    "binaryConv2d",
    window,
    [int8("x", [2, 5, 6, 70]), coded([5, 3, 2, 70], "binary")],
    [int8("y", [2, 3, 4, 5])],
  ),
  int4Groups: graph(
    "fullyConnected",
    { activation: "none" },
    [int8("x", [6, 37]), coded([11, 37], "int4", 33)],
    [int8("y", [6, 11])],
  ),
  int4GroupsRow: graph(
    "conv2d",
    square,
    [int8("x", [1, 6, 7, 8]), coded([9, 3, 3, 8], "int4", 54)],
    [int8("y", [1, 4, 5, 9])],
  ),
  quantize: graph("quantize", {}, [real("x", [21])], [int8("y", [21])]),
  dequantize: graph("dequantize", {}, [int16("x", [21])], [real("y", [21])]),
  conv2d: graph(
    "conv2d",
    dilated,
    [int8("x", [1, 6, 9, 3]), weights([5, 3, 3, 3]), undefined],
    [int8("y", [1, 3, 4, 5])],
  ),
  conv2d16: graph(
    "conv2d",
    dilated,
    [int16("x", [1, 6, 9, 3]), symmetricWeights([5, 3, 3, 3], 5, random), wideBias("int64", 5, random)],
    [int16("y", [1, 3, 4, 5])],
  ),
  conv2d16Narrow: graph(
    "conv2d",
    { ...dilated, dilationW: 1 },
    [int16("x", [1, 6, 9, 3]), symmetricWeights([5, 3, 3, 3], 5, random), wideBias("int32", 5, random)],
    [int16("y", [1, 3, 5, 5])],
  ),
  fullyConnected: graph(
    "fullyConnected",
    { activation: "none" },
    [int8("x", [5, 9]), weights([6, 9]), undefined],
    [int8("y", [5, 6])],
  ),
  sparseFullyConnected: graph(
    "fullyConnected",
    { activation: "none" },
    [int8("x", [6, 70]), sparse([19, 70]), undefined],
    [int8("y", [6, 19])],
  ),
  sparseNibbles: graph(
    "fullyConnected",
    { activation: "none" },
    [int8("x", [2, 130]), { ...sparse([19, 130], -8, 7), coding: "int4" }, undefined],
    [int8("y", [2, 19])],
  ),
  sparseConv2d: graph(
    "conv2d",
    dilated,
    [int8("x", [1, 6, 15, 8]), sparse([11, 3, 3, 8]), undefined],
    [int8("y", [1, 3, 6, 11])],
  ),
  winograd: graph(
    "conv2d",
    { ...dilated, strideH: 1, strideW: 1, dilationW: 1 },
    [int8("x", [1, 6, 9, 8]), weights([8, 3, 3, 8]), undefined],
    [int8("y", [1, 6, 9, 8])],
  ),
  depthwiseConv2d: graph(
    "depthwiseConv2d",
    { ...dilated, dilationW: 1, multiplier: 1 },
    [int8("x", [1, 6, 9, 11]), constant("w", [1, 3, 3, 11], "int8", random.int8(99), quant(0.01)), undefined],
    [int8("y", [1, 3, 5, 11])],
  ),
  averagePool2d: graph("averagePool2d", pool, [int8("x", [1, 6, 9, 11])], [int8("y", [1, 3, 5, 11])]),
  maxPool2d: graph("maxPool2d", pool, [int8("x", [1, 6, 9, 11])], [int8("y", [1, 3, 5, 11])]),
  mean: graph("mean", { axes: [1, 2], keepDims: true }, [int8("x", [2, 3, 5, 7])], [int8("y", [2, 1, 1, 7])]),
  add: graph("add", { activation: "none" }, [int8("a", [2, 3, 7]), int8("b", [1, 3, 1])], [int8("y", [2, 3, 7])]),
  mul: graph("mul", { activation: "none" }, [int8("a", [2, 3, 7]), int8("b", [1, 3, 1])], [int8("y", [2, 3, 7])]),
  squaredDifference: graph(
    "squaredDifference",
    { activation: "none" },
    [int8("a", [2, 3, 7]), int8("b", [1, 3, 1])],
    [int8("y", [2, 3, 7], 9)],
  ),
  softmax: graph("softmax", { beta: 1 }, [int8("x", [5, 9])], [activation("y", [5, 9], 1 / 256, -128)]),
  logistic: graph("logistic", {}, [int8("x", [45])], [activation("y", [45], 1 / 256, -128)]),
  fullyConnected16: graph(
    "fullyConnected",
    { activation: "none" },
    [int16("x", [5, 9]), symmetricWeights([6, 9], 6, random), wideBias("int64", 6, random)],
    [int16("y", [5, 6])],
  ),
  map: graph("map", { fn: "gelu", a: 0, b: 0 }, [real("x", [45])], [real("y", [45])]),
  zip: graph("zip", { fn: "add" }, [real("a", [2, 3, 7]), real("b", [1, 3, 1])], [real("y", [2, 3, 7])]),
  select: graph(
    "select",
    {},
    [{ name: "c", shape: [3, 7], dtype: "int32" }, real("a", [7]), real("b", [3, 1])],
    [real("y", [3, 7])],
  ),
  reduce: graph("reduce", { fn: "mean", axes: [1], keepDims: false }, [real("x", [3, 5, 7])], [real("y", [3, 7])]),
  floatMatmul: graph(
    "floatMatmul",
    { ...open, transposeB: false },
    [real("a", [5, 9]), reals([9, 11])],
    [real("y", [5, 11])],
  ),
  floatMatmulRun: graph(
    "floatMatmul",
    { ...open, transposeB: true },
    [real("a", [2, 5, 9]), real("b", [2, 7, 9])],
    [real("y", [2, 5, 7])],
  ),
  floatConv: graph(
    "floatConv",
    { ...window3, ...open, groups: 2 },
    [real("x", [1, 2, 6, 5, 6]), reals([10, 1, 3, 3, 3])],
    [real("y", [1, 2, 3, 3, 10])],
  ),
  floatDepthwise: graph(
    "floatConv",
    { ...window3, ...open, groups: 7 },
    [real("x", [1, 2, 6, 5, 7]), reals([7, 1, 3, 3, 1])],
    [real("y", [1, 2, 3, 3, 7])],
  ),
  floatPool: graph(
    "floatPool",
    { ...window3, kind: "average", kernel: [1, 3, 3], countPad: true, out: [2, 3, 3] },
    [real("x", [1, 2, 6, 5, 7])],
    [real("y", [1, 2, 3, 3, 7])],
  ),
  floatSoftmax: graph("floatSoftmax", { log: false }, [real("x", [5, 9])], [real("y", [5, 9])]),
  floatNorm: graph(
    "floatNorm",
    { epsilon: 1, rms: false },
    [real("x", [5, 9]), reals([9]), reals([9])],
    [real("y", [5, 9])],
  ),
  gather: graph(
    "gather",
    { axis: 1 },
    [real("x", [2, 5, 3]), { name: "i", shape: [4], dtype: "int32" }],
    [real("y", [2, 4, 3])],
  ),
  resample: graph(
    "resample",
    { axis: 1, taps: 2, bias: [0, 0, 1], indices: [0, 1, 2, 3, 4, 0], weights: [1, 2, 3, 4, 5, 6] },
    [real("x", [2, 5, 3])],
    [real("y", [2, 3, 3])],
  ),
  floatRecurrent: graph(
    "floatRecurrent",
    {
      kind: "lstm",
      reverse: false,
      lengths: [3, 2],
      gateFn: "sigmoid",
      candidateFn: "tanh",
      outputFn: "tanh",
      alpha: 0,
      cellClip: 0,
    },
    [real("x", [3, 2, 4]), reals([20, 4]), reals([20, 5])],
    [real("y", [3, 2, 5]), real("h", [2, 5]), real("c", [2, 5])],
  ),
};

describe("hostile steps", () => {
  it("meet the sparse kernels", () => {
    const kernelOf = (name: string) => buildImage(GRAPHS[name]!).lowered.steps[0]!.kernel;
    expect(kernelOf("sparseFullyConnected")).toBe(ConvKernel.Sparse);
    expect(kernelOf("sparseNibbles")).toBe(ConvKernel.SparseNibbles);
    expect(kernelOf("sparseConv2d")).toBe(ConvKernel.Sparse);
  });

  for (const [name, graph] of Object.entries(GRAPHS)) {
    it(`${name} stays inside the arena or is refused`, () => {
      for (const build of BUILDS) {
        const accepted = expectContained(build, graph, 4000, 42);
        // Neither all nor none: the changes reach what the checks look at.
        expect(accepted).toBeGreaterThan(40);
        expect(accepted).toBeLessThan(3900);
      }
    });
  }
});
