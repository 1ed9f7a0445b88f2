// Convolutions and pools, over channels-last tensors: Conv, ConvTranspose, ConvInteger, QLinearConv and the pools.
// Weights come as [outC, C/groups, …] and are laid out [outC, …, C/groups] beforehand.

import { elementCount, type Triple } from "../../../graph/graph.ts";
import { toLast, type Value } from "../builder.ts";
import type { Importer, OnnxNode } from "../node.ts";
import { TYPE } from "../tensors.ts";
import { integersOf, realBias, realInput, setReal } from "./quantize.ts";

const OPEN = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };

interface Geometry {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

export const triple = (values: readonly number[], fill: number): Triple => {
  const all = [...Array.from({ length: 3 - values.length }, () => fill), ...values];
  return [all[0]!, all[1]!, all[2]!];
};

/** Strides, dilations and padding of a window; auto_pad is resolved here. `extra`: what ceil_mode adds after the end. */
function geometryOf(op: OnnxNode, sizes: readonly number[], kernel: readonly number[]): Geometry & { out: number[] } {
  const rank = sizes.length;
  if (rank < 1 || rank > 3) throw op.unsupported(`a window over ${rank} axes; one to three can be`);
  const ones = sizes.map(() => 1);
  const strides = op.ints("strides") ?? ones;
  const dilations = op.ints("dilations") ?? ones;
  const pads = op.ints("pads") ?? [...ones, ...ones].map(() => 0);
  const auto = op.text("auto_pad", "NOTSET");
  const reach = kernel.map((size, i) => (size - 1) * dilations[i]! + 1);
  let [before, after] = [pads.slice(0, rank), pads.slice(rank)];
  if (auto.startsWith("SAME")) {
    const total = sizes.map((size, i) =>
      Math.max(0, (Math.ceil(size / strides[i]!) - 1) * strides[i]! + reach[i]! - size),
    );
    before = total.map((pad) => (auto === "SAME_UPPER" ? Math.floor(pad / 2) : Math.ceil(pad / 2)));
    after = total.map((pad, i) => pad - before[i]!);
  } else if (auto === "VALID") [before, after] = [ones.map(() => 0), ones.map(() => 0)];
  const ceil = op.int("ceil_mode", 0) === 1;
  const out = sizes.map((size, i) => {
    const span = (size + before[i]! + after[i]! - reach[i]!) / strides[i]!;
    const count = (ceil ? Math.ceil(span) : Math.floor(span)) + 1;
    // a window that would start in the padding after the end is left out
    return ceil && (count - 1) * strides[i]! >= size + before[i]! ? count - 1 : count;
  });
  return { kernel, strides, dilations, before, after, out };
}

const windowAttrs = ({ strides, dilations, before, after }: Geometry) => ({
  stride: triple(strides, 1),
  dilation: triple(dilations, 1),
  pad: triple(before, 0),
  padAfter: triple(after, 0),
});

/** A convolution of a channels-last tensor by ONNX's weights; returns a channels-last tensor. */
export function convolve(op: OnnxNode, x: Value, weights: Value, bias: number | undefined): number {
  const { build } = op;
  op.constantOf(weights, "the weights");
  const geometry = geometryOf(op, x.shape.slice(2), weights.shape.slice(2));
  const w = build.transpose(build.plain(weights), toLast(weights.shape.length));
  if (bias !== undefined && build.at(bias).shape.length !== 1) throw op.unsupported("a bias that is no vector");
  return build.one("floatConv", [build.last(x), w, ...(bias === undefined ? [] : [bias])], {
    ...windowAttrs(geometry),
    groups: op.int("group", 1),
    ...OPEN,
  });
}

const conv: Importer = (op) => {
  const bias = op.optional(2);
  if (bias) op.constantOf(bias, "the bias");
  op.setLast(0, convolve(op, op.input(0), op.input(1), bias && op.build.plain(bias)), op.input(0).type);
};

const qLinearConv: Importer = (op) => {
  const y = convolve(op, realInput(op, 0), realInput(op, 3, 0), realBias(op, 8, 1, 4));
  setReal(op, y, true, 6);
};

/** An exact sum of products: patches by a strided view in int32, then a matrix product. */
const convInteger: Importer = (op) => {
  const { build } = op;
  const x = integersOf(op, op.input(0));
  const w = op.input(1);
  op.constantOf(w, "the weights");
  const { out, ...geometry } = geometryOf(op, x.shape.slice(2), w.shape.slice(2));
  const groups = op.int("group", 1);
  const [outC, perGroup] = w.shape as [number, number];
  const zero = op.optional(2);
  const wZero = op.numbers(3, "the zero point of the weights");
  const last = build.last(x);
  const centred = zero ? build.zip("sub", last, integersId(op, zero)) : last;
  const spatial = x.shape.slice(2);
  const paddings: [number, number][] = [
    [0, 0],
    ...spatial.map((_, i): [number, number] => [geometry.before[i]!, geometry.after[i]!]),
    [0, 0],
  ];
  const padded = paddings.some(([before, after]) => before + after > 0)
    ? build.one("pad", [centred], { paddings, value: 0 })
    : centred;
  const taps = tapsOf(geometry.kernel);
  const codes = op.constantOf(w, "the weights");
  const cells = taps.length;
  const results: number[] = [];
  for (let group = 0; group < groups; group++) {
    const rank = spatial.length + 2;
    const columns = taps.map((tap) =>
      build.one("stridedSlice", [padded], {
        begin: [0, ...tap.map((at, i) => at * geometry.dilations[i]!), group * perGroup],
        strides: [1, ...geometry.strides, 1],
        sizes: [x.shape[0]!, ...out, perGroup],
        squeeze: [],
      }),
    );
    const patches =
      columns.length === 1 ? columns[0]! : build.one("concat", columns, { axis: rank - 1, activation: "none" });
    const each = outC / groups;
    const matrix = new Int32Array(each * cells * perGroup);
    for (let n = 0; n < each; n++) {
      const channel = group * each + n;
      for (let i = 0; i < perGroup; i++) {
        for (let tap = 0; tap < cells; tap++) {
          const code = codes[(channel * perGroup + i) * cells + tap]!;
          matrix[(n * cells + tap) * perGroup + i] = code - (wZero?.[wZero.length === 1 ? 0 : channel] ?? 0);
        }
      }
    }
    const weights = build.constant("int32", [each, cells * perGroup], matrix);
    results.push(build.one("floatMatmul", [patches, weights], { transposeB: true, ...OPEN }));
  }
  const y =
    results.length === 1 ? results[0]! : build.one("concat", results, { axis: x.shape.length - 1, activation: "none" });
  op.setLast(0, y, TYPE.int32);
};

const integersId = (op: OnnxNode, value: Value): number => {
  const id = op.build.plain(integersOf(op, value));
  if (elementCount(op.build.at(id).shape) !== 1) throw op.unsupported("a zero point for each channel of the input");
  return op.build.reshape(id, []);
};

/** Every place of a kernel, in order. */
function tapsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (taps, size) => taps.flatMap((tap) => Array.from({ length: size }, (_, i) => [...tap, i])),
    [[]],
  );
}

/** The input with zeros between its cells, convolved with the flipped weights. */
const convTranspose: Importer = (op) => {
  const { build } = op;
  const [x, weights] = [op.input(0), op.input(1)];
  const data = op.constantOf(weights, "the weights");
  const spatial = x.shape.slice(2);
  const kernel = weights.shape.slice(2);
  const ones = spatial.map(() => 1);
  const strides = op.ints("strides") ?? ones;
  const dilations = op.ints("dilations") ?? ones;
  const extra = op.ints("output_padding") ?? ones.map(() => 0);
  const reach = kernel.map((size, i) => (size - 1) * dilations[i]! + 1);
  const full = spatial.map((size, i) => (size - 1) * strides[i]! + reach[i]! + extra[i]!);
  const wanted = op.ints("output_shape");
  const auto = op.text("auto_pad", "NOTSET");
  let pads = [...(op.ints("pads") ?? [...ones, ...ones].map(() => 0))];
  const target = wanted ?? (auto.startsWith("SAME") ? spatial.map((size, i) => size * strides[i]!) : undefined);
  if (target) {
    // less than 0 where the output is to be larger: rows of zeros after the end
    const total = full.map((size, i) => size - target.slice(-spatial.length)[i]!);
    const first = total.map((pad) => (auto === "SAME_UPPER" ? Math.floor(pad / 2) : pad - Math.floor(pad / 2)));
    pads = [...first, ...total.map((pad, i) => pad - first[i]!)];
  }
  const groups = op.int("group", 1);
  const [inC, each] = weights.shape as [number, number];
  const rank = spatial.length;
  // zeros between the cells: each cell a row of its own, padded behind, then the rows joined
  let id = build.last(x);
  for (let i = 0; i < rank; i++) {
    if (strides[i] === 1) continue;
    const { shape } = build.at(id);
    const cells = build.reshape(id, [...shape.slice(0, i + 2), 1, ...shape.slice(i + 2)]);
    const spaced = build.one("pad", [cells], {
      paddings: build.at(cells).shape.map((_, axis) => [0, axis === i + 2 ? strides[i]! - 1 : 0] as const),
      value: 0,
    });
    id = build.reshape(spaced, [...shape.slice(0, i + 1), shape[i + 1]! * strides[i]!, ...shape.slice(i + 2)]);
  }
  const flipped = new Float32Array(data.length);
  const cells = elementCount(kernel);
  const perGroup = inC / groups;
  for (let c = 0; c < inC; c++) {
    const group = Math.floor(c / perGroup);
    for (let n = 0; n < each; n++) {
      for (let tap = 0; tap < cells; tap++) {
        flipped[((group * each + n) * cells + (cells - 1 - tap)) * perGroup + (c % perGroup)] =
          data[(c * each + n) * cells + tap]!;
      }
    }
  }
  const w = build.constant("float32", [groups * each, ...kernel, perGroup], flipped);
  const bias = op.optional(2);
  // the trailing zeros of the last cell are part of the stride: take them off the padding after
  const before = spatial.map((_, i) => reach[i]! - 1 - pads[i]!);
  const after = spatial.map((_, i) => reach[i]! - 1 - pads[rank + i]! + extra[i]! - (strides[i]! - 1));
  const crop = (values: number[]): number[] => values.map((value) => Math.max(0, value));
  const cut = (values: number[]): number[] => values.map((value) => Math.max(0, -value));
  if (cut(before).some(Boolean) || cut(after).some(Boolean)) {
    const sizes = build.at(id).shape;
    id = build.one("stridedSlice", [id], {
      begin: [0, ...cut(before), 0],
      strides: sizes.map(() => 1),
      sizes: sizes.map((size, axis) =>
        axis === 0 || axis === rank + 1 ? size : size - cut(before)[axis - 1]! - cut(after)[axis - 1]!,
      ),
      squeeze: [],
    });
  }
  const y = build.one("floatConv", [id, w, ...(bias ? [build.plain(bias)] : [])], {
    stride: [1, 1, 1],
    dilation: triple(dilations, 1),
    pad: triple(crop(before), 0),
    padAfter: triple(crop(after), 0),
    groups,
    ...OPEN,
  });
  op.setLast(0, y, x.type);
};

function pool(op: OnnxNode, kind: "max" | "average", x: Value): number {
  const { out, ...geometry } = geometryOf(op, x.shape.slice(2), op.ints("kernel_shape") ?? []);
  return op.build.one("floatPool", [op.build.last(x)], {
    ...windowAttrs(geometry),
    kind,
    kernel: triple(geometry.kernel, 1),
    countPad: op.int("count_include_pad", 0) === 1,
    out: triple(out, 1),
  });
}

const maxPool: Importer = (op) => {
  const x = op.input(0);
  const { build } = op;
  const isFloat = build.at(x.plain ?? x.last!).dtype === "float32";
  if (!isFloat) {
    const whole = integersOf(op, x);
    const real: Value = {
      name: x.name,
      type: TYPE.float,
      shape: x.shape,
      last: build.map("fromInt", build.last(whole)),
    };
    op.setLast(0, build.map("toInt", pool(op, "max", real)), x.type);
  } else op.setLast(0, pool(op, "max", x), x.type);
  if (op.wants(1)) {
    const { out, ...geometry } = geometryOf(op, x.shape.slice(2), op.ints("kernel_shape") ?? []);
    let places = build.one("floatPool", [build.last(x)], {
      ...windowAttrs(geometry),
      kind: "argMax",
      kernel: triple(geometry.kernel, 1),
      countPad: false,
      out: triple(out, 1),
    });
    if (op.int("storage_order", 0) === 1 && x.shape.length === 4) {
      // column-major: column · height + row
      const [height, width] = x.shape.slice(2).map((size) => build.scalar(size, "int32")) as [number, number];
      places = build.zip(
        "add",
        build.zip("mul", build.zip("mod", places, width), height),
        build.zip("div", places, width),
      );
    }
    // ONNX counts places through the batch and the channels too
    const cells = elementCount(x.shape.slice(2));
    const [batch, channels] = x.shape as [number, number];
    const planes = Int32Array.from({ length: batch * channels }, (_, i) => i * cells);
    const shape = [batch, ...x.shape.slice(2).map(() => 1), channels];
    op.setLast(1, build.zip("add", places, build.constant("int32", shape, planes)), TYPE.int64);
  }
};

/** The whole of each channel: a reduction that keeps its axes. */
function globalPool(fn: "mean" | "max"): Importer {
  return (op) => {
    const x = op.input(0);
    const isLast = op.prefersLast(x);
    const axes = x.shape.slice(2).map((_, i) => i + (isLast ? 1 : 2));
    const id = isLast ? op.build.last(x) : op.build.plain(x);
    op.setIn(isLast, 0, op.build.one("reduce", [id], { fn, axes, keepDims: true }), x.type);
  };
}

export const CONV: Readonly<Record<string, Importer>> = {
  Conv: conv,
  QLinearConv: qLinearConv,
  ConvInteger: convInteger,
  ConvTranspose: convTranspose,
  MaxPool: maxPool,
  AveragePool: (op) => void op.setLast(0, pool(op, "average", op.input(0)), op.input(0).type),
  GlobalAveragePool: globalPool("mean"),
  GlobalMaxPool: globalPool("max"),
  "com.microsoft:QLinearAveragePool": (op) => {
    if (op.int("channels_last", 0)) throw op.unsupported("a QLinearAveragePool with the channels last");
    setReal(op, pool(op, "average", realInput(op, 0)), true, 3);
  },
  "com.microsoft:QLinearGlobalAveragePool": (op) => {
    if (op.int("channels_last", 0)) throw op.unsupported("a QLinearGlobalAveragePool with the channels last");
    const x = realInput(op, 0);
    const axes = x.shape.slice(2).map((_, i) => i + 1);
    setReal(op, op.build.one("reduce", [op.build.last(x)], { fn: "mean", axes, keepDims: true }), true, 3);
  },
};
