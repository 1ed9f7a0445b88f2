// Operators that move values: reshapes, transposes, slices, joins, pads, resizes.

import { describe, expect, test } from "vitest";
import type { Graph } from "../../tools/graph/graph.ts";
import {
  ActivationFunctionType,
  BuiltinOperator,
  BuiltinOptions,
  ConcatenationOptions,
  PackOptions,
  ReshapeOptions,
  ResizeBilinearOptions,
  ResizeNearestNeighborOptions,
  SplitOptions,
  SqueezeOptions,
  StridedSliceOptions,
  TensorType,
  UnpackOptions,
} from "../../tools/import/tflite/generated/tflite.ts";
import { importTflite } from "../../tools/import/tflite/import.ts";
import { intsSpec, type Options, oneOperator, type TensorSpec } from "../support/tfliteBuilder.ts";

function imported(builtin: BuiltinOperator, inputs: TensorSpec[], outputs: TensorSpec[], options?: Options): Graph {
  return importTflite(oneOperator(builtin, inputs, outputs, options), "m.tflite");
}

function onlyAttrs(graph: Graph): unknown {
  expect(graph.nodes).toHaveLength(1);
  return graph.nodes[0]?.attrs;
}

const x = (shape: readonly number[]): TensorSpec => ({ shape });

describe("reshapes", () => {
  test("RESHAPE takes its shape from the operand, with one open dimension", () => {
    const graph = imported(BuiltinOperator.RESHAPE, [x([2, 3, 4]), intsSpec([-1, 6])], [x([4, 6])]);
    expect(graph.nodes[0]?.op).toBe("reshape");
    expect(onlyAttrs(graph)).toEqual({ shape: [4, 6] });
  });

  test("RESHAPE takes its shape from the options when there is no operand", () => {
    const options: Options = [
      BuiltinOptions.ReshapeOptions,
      (b) => ReshapeOptions.createReshapeOptions(b, ReshapeOptions.createNewShapeVector(b, [3, -1])),
    ];
    expect(onlyAttrs(imported(BuiltinOperator.RESHAPE, [x([2, 3, 4])], [x([3, 8])], options))).toEqual({
      shape: [3, 8],
    });
  });

  test("RESHAPE to a scalar has an empty shape operand", () => {
    const empty: TensorSpec = { shape: [0], type: TensorType.INT32 };
    const bytes = oneOperator(BuiltinOperator.RESHAPE, [x([1, 1]), { ...empty, data: new Uint8Array(0) }], [x([])]);
    expect(onlyAttrs(importTflite(bytes, "m.tflite"))).toEqual({ shape: [] });
  });

  test.each([
    { drops: [], shape: [1, 3, 1, 4], result: [3, 4] },
    { drops: [-2], shape: [1, 3, 1, 4], result: [1, 3, 4] },
    { drops: [0, 2], shape: [1, 3, 1, 4], result: [3, 4] },
  ])("SQUEEZE $drops of $shape gives $result", ({ drops, shape, result }) => {
    const options: Options = [
      BuiltinOptions.SqueezeOptions,
      (b) => SqueezeOptions.createSqueezeOptions(b, SqueezeOptions.createSqueezeDimsVector(b, drops)),
    ];
    expect(onlyAttrs(imported(BuiltinOperator.SQUEEZE, [x(shape)], [x(result)], options))).toEqual({ shape: result });
  });

  test.each([
    { axis: 0, result: [1, 3, 4] },
    { axis: -1, result: [3, 4, 1] },
    { axis: 1, result: [3, 1, 4] },
  ])("EXPAND_DIMS at $axis gives $result", ({ axis, result }) => {
    const graph = imported(BuiltinOperator.EXPAND_DIMS, [x([3, 4]), intsSpec(axis)], [x(result)]);
    expect(onlyAttrs(graph)).toEqual({ shape: result });
  });

  test("TRANSPOSE", () => {
    const graph = imported(BuiltinOperator.TRANSPOSE, [x([2, 3, 4]), intsSpec([2, 0, -2])], [x([4, 2, 3])]);
    expect(onlyAttrs(graph)).toEqual({ permutation: [2, 0, 1] });
  });
});

interface Masks {
  readonly begin?: number;
  readonly end?: number;
  readonly ellipsis?: number;
  readonly newAxis?: number;
  readonly shrink?: number;
  readonly offset?: boolean;
}

describe("slices", () => {
  const sliced = (shape: number[], spec: number[][], out: number[], masks: Masks = {}): Graph => {
    const { begin = 0, end = 0, ellipsis = 0, newAxis = 0, shrink = 0, offset = false } = masks;
    const options: Options = [
      BuiltinOptions.StridedSliceOptions,
      (b) => StridedSliceOptions.createStridedSliceOptions(b, begin, end, ellipsis, newAxis, shrink, offset),
    ];
    const [begins = [], ends = [], strides = []] = spec;
    const operands = [x(shape), intsSpec(begins), intsSpec(ends), intsSpec(strides)];
    return imported(BuiltinOperator.STRIDED_SLICE, operands, [x(out)], options);
  };

  test("plain ranges, negative indices, and axes left out", () => {
    expect(
      onlyAttrs(
        sliced(
          [5, 6, 2],
          [
            [1, -3],
            [4, 6],
            [2, 1],
          ],
          [2, 3, 2],
        ),
      ),
    ).toEqual({
      begin: [1, 3, 0],
      strides: [2, 1, 1],
      sizes: [2, 3, 2],
      squeeze: [],
    });
  });

  test("open ends and ends past the axis", () => {
    expect(
      onlyAttrs(
        sliced(
          [5, 6],
          [
            [2, 9],
            [1, 99],
            [1, 1],
          ],
          [5, 6],
          { begin: 0b11, end: 0b1 },
        ),
      ),
    ).toEqual({
      begin: [0, 0],
      strides: [1, 1],
      sizes: [5, 6],
      squeeze: [],
    });
  });

  test("negative strides, open and bounded", () => {
    expect(
      onlyAttrs(
        sliced(
          [5, 6],
          [
            [0, -2],
            [0, 1],
            [-1, -2],
          ],
          [5, 2],
          { begin: 0b1, end: 0b1 },
        ),
      ),
    ).toEqual({
      begin: [4, 4],
      strides: [-1, -2],
      sizes: [5, 2],
      squeeze: [],
    });
  });

  test("shrunk axes", () => {
    expect(
      onlyAttrs(
        sliced(
          [5, 6, 2],
          [
            [-1, 0, 1],
            [0, 6, 2],
            [1, 1, 1],
          ],
          [6],
          { shrink: 0b101 },
        ),
      ),
    ).toEqual({
      begin: [4, 0, 1],
      strides: [1, 1, 1],
      sizes: [1, 6, 1],
      squeeze: [0, 2],
    });
  });

  test("an ellipsis, and ends as offsets", () => {
    expect(
      onlyAttrs(
        sliced(
          [5, 6, 7, 4],
          [
            [0, 1],
            [0, 2],
            [1, 1],
          ],
          [5, 6, 7, 2],
          { ellipsis: 0b1, offset: true },
        ),
      ),
    ).toEqual({
      begin: [0, 0, 0, 1],
      strides: [1, 1, 1, 1],
      sizes: [5, 6, 7, 2],
      squeeze: [],
    });
  });

  test("a new axis becomes a reshape after the slice", () => {
    const graph = sliced(
      [5, 6],
      [
        [0, 1, 0],
        [0, 3, 6],
        [1, 1, 1],
      ],
      [1, 2, 6],
      { newAxis: 0b1 },
    );
    expect(graph.nodes.map((node) => node.op)).toEqual(["stridedSlice", "reshape"]);
    expect(graph.nodes[0]?.attrs).toEqual({ begin: [1, 0], strides: [1, 1], sizes: [2, 6], squeeze: [] });
    expect(graph.nodes[1]?.attrs).toEqual({ shape: [1, 2, 6] });
  });

  test("SLICE with an open size", () => {
    const operands = [x([5, 6]), intsSpec([1, 2]), intsSpec([3, -1])];
    expect(onlyAttrs(imported(BuiltinOperator.SLICE, operands, [x([3, 4])]))).toEqual({
      begin: [1, 2],
      strides: [1, 1],
      sizes: [3, 4],
      squeeze: [],
    });
  });
});

describe("joins", () => {
  test("CONCATENATION along a negative axis, of different scales", () => {
    const options: Options = [
      BuiltinOptions.ConcatenationOptions,
      (b) => ConcatenationOptions.createConcatenationOptions(b, -1, ActivationFunctionType.RELU),
    ];
    const graph = imported(
      BuiltinOperator.CONCATENATION,
      [{ ...x([2, 3]), scale: 0.1 }, x([2, 5])],
      [x([2, 8])],
      options,
    );
    expect(graph.nodes[0]?.op).toBe("concat");
    expect(onlyAttrs(graph)).toEqual({ axis: 1, activation: "relu" });
  });

  test("PACK becomes reshapes and a concat", () => {
    const options: Options = [BuiltinOptions.PackOptions, (b) => PackOptions.createPackOptions(b, 2, -1)];
    const graph = imported(BuiltinOperator.PACK, [x([2, 3]), x([2, 3])], [x([2, 3, 2])], options);
    expect(graph.nodes.map((node) => node.op)).toEqual(["reshape", "reshape", "concat"]);
    expect(graph.nodes[0]?.attrs).toEqual({ shape: [2, 3, 1] });
    expect(graph.nodes[2]?.attrs).toEqual({ axis: 2, activation: "none" });
    expect(new Set(graph.nodes.map((node) => node.name)).size).toBe(3);
  });

  test("UNPACK becomes one slice an output", () => {
    const options: Options = [BuiltinOptions.UnpackOptions, (b) => UnpackOptions.createUnpackOptions(b, 2, 1)];
    const graph = imported(BuiltinOperator.UNPACK, [x([3, 2])], [x([3]), x([3])], options);
    expect(graph.nodes.map((node) => [node.op, node.name])).toEqual([
      ["stridedSlice", "out0"],
      ["stridedSlice", "out1"],
    ]);
    expect(graph.nodes[1]?.attrs).toEqual({ begin: [0, 1], strides: [1, 1], sizes: [3, 1], squeeze: [1] });
  });

  test("SPLIT into equal parts", () => {
    const options: Options = [BuiltinOptions.SplitOptions, (b) => SplitOptions.createSplitOptions(b, 2)];
    const graph = imported(BuiltinOperator.SPLIT, [intsSpec(-1), x([3, 8])], [x([3, 4]), x([3, 4])], options);
    expect(onlyAttrs(graph)).toEqual({ axis: 1, sizes: [4, 4] });
  });

  test("SPLIT_V with an open part", () => {
    const operands = [x([3, 8]), intsSpec([1, -1, 2]), intsSpec(1)];
    const graph = imported(BuiltinOperator.SPLIT_V, operands, [x([3, 1]), x([3, 5]), x([3, 2])]);
    expect(onlyAttrs(graph)).toEqual({ axis: 1, sizes: [1, 5, 2] });
  });
});

describe("pads and resizes", () => {
  test("PAD fills with real zero", () => {
    const paddings: TensorSpec = { shape: [2, 2], type: TensorType.INT32, data: Int32Array.of(1, 2, 0, 3) };
    const graph = imported(
      BuiltinOperator.PAD,
      [{ ...x([4, 4]), zeroPoint: 9 }, paddings],
      [{ ...x([7, 7]), zeroPoint: 9 }],
    );
    expect(onlyAttrs(graph)).toEqual({
      paddings: [
        [1, 2],
        [0, 3],
      ],
      value: 0,
    });
  });

  test("PADV2 gives its value as a real number; int64 paddings", () => {
    const paddings: TensorSpec = { shape: [1, 2], type: TensorType.INT64, data: BigInt64Array.of(0n, 1n) };
    const value: TensorSpec = { shape: [], data: Int8Array.of(-128) };
    const graph = imported(
      BuiltinOperator.PADV2,
      [{ ...x([4]), zeroPoint: 10 }, paddings, value],
      [{ ...x([5]), zeroPoint: 10 }],
    );
    expect(onlyAttrs(graph)).toEqual({ paddings: [[0, 1]], value: -69 });
  });

  test.each([
    { aligned: true, half: false },
    { aligned: false, half: true },
  ])("RESIZE_* with align_corners $aligned, half_pixel_centers $half", ({ aligned, half }) => {
    const attrs = { outH: 10, outW: 3, alignCorners: aligned, halfPixelCenters: half };
    const operands = [x([1, 5, 6, 2]), intsSpec([10, 3])];
    const nearest: Options = [
      BuiltinOptions.ResizeNearestNeighborOptions,
      (b) => ResizeNearestNeighborOptions.createResizeNearestNeighborOptions(b, aligned, half),
    ];
    const bilinear: Options = [
      BuiltinOptions.ResizeBilinearOptions,
      (b) => ResizeBilinearOptions.createResizeBilinearOptions(b, 0, 0, aligned, half),
    ];
    const out = [x([1, 10, 3, 2])];
    expect(onlyAttrs(imported(BuiltinOperator.RESIZE_NEAREST_NEIGHBOR, operands, out, nearest))).toEqual(attrs);
    expect(onlyAttrs(imported(BuiltinOperator.RESIZE_BILINEAR, operands, out, bilinear))).toEqual(attrs);
  });
});
