// Damaged and hostile files: seeded mutations of sound ones. The result is a Graph or a ToolError,
// in bounded time, whatever the bytes.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ToolError } from "../../tools/errors.ts";
import { elementCount, type Graph } from "../../tools/graph/graph.ts";
import { importModel } from "../../tools/import/index.ts";
import {
  ActivationFunctionType,
  BuiltinOperator,
  BuiltinOptions,
  ConcatenationOptions,
  Conv2DOptions,
  FullyConnectedOptions,
  FullyConnectedOptionsWeightsFormat,
  Padding,
  SoftmaxOptions,
  SplitOptions,
  StridedSliceOptions,
  TensorType,
} from "../../tools/import/tflite/generated/tflite.ts";
import { describeShared } from "../support/shared.ts";
import { oneOperator, TfliteBuilder } from "../support/tfliteBuilder.ts";

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Most operators' kinds of operands in one small file. */
function soundModel(): Uint8Array {
  const model = new TfliteBuilder();
  const x = model.tensor({ name: "x", shape: [1, 6, 6, 3], type: TensorType.UINT8, zeroPoint: 128 });
  const int8 = model.tensor({ name: "int8", shape: [1, 6, 6, 3] });
  const padded = model.tensor({ name: "padded", shape: [1, 8, 8, 3] });
  const conv = model.tensor({ name: "conv", shape: [1, 6, 6, 4] });
  const relu = model.tensor({ name: "relu", shape: [1, 6, 6, 4] });
  const parts = [0, 1].map((i) => model.tensor({ name: `part${i}`, shape: [1, 6, 6, 2] }));
  const joined = model.tensor({ name: "joined", shape: [1, 6, 6, 4] });
  const sliced = model.tensor({ name: "sliced", shape: [6, 3, 4] });
  const flat = model.tensor({ name: "flat", shape: [1, 72] });
  const dense = model.tensor({ name: "dense", shape: [1, 5] });
  const y = model.tensor({ name: "y", shape: [1, 5], scale: 1 / 256, zeroPoint: -128 });
  const float = model.tensor({ name: "float", shape: [1, 5], type: TensorType.FLOAT32 });
  const paddings = model.tensor({ shape: [4, 2], type: TensorType.INT32, data: Int32Array.of(0, 0, 1, 1, 1, 1, 0, 0) });
  const kernel = model.tensor({ shape: [4, 3, 3, 3], scale: [1, 2, 3, 4], data: new Int8Array(108).fill(3) });
  const bias = model.tensor({ shape: [4], type: TensorType.INT32, data: new Int32Array(4) });
  const nibbles = model.tensor({ shape: [5, 72], type: TensorType.INT4, data: new Uint8Array(180) });
  const { NONE } = ActivationFunctionType;
  model.operator(BuiltinOperator.QUANTIZE, [x], [int8]);
  model.operator(BuiltinOperator.PAD, [int8, paddings], [padded]);
  model.operator(
    BuiltinOperator.CONV_2D,
    [padded, kernel, bias],
    [conv],
    [BuiltinOptions.Conv2DOptions, (b) => Conv2DOptions.createConv2DOptions(b, Padding.VALID, 1, 1, NONE, 1, 1)],
  );
  model.operator(BuiltinOperator.RELU, [conv], [relu]);
  model.operator(BuiltinOperator.SPLIT, [model.ints(3), relu], parts, [
    BuiltinOptions.SplitOptions,
    (b) => SplitOptions.createSplitOptions(b, 2),
  ]);
  model.operator(
    BuiltinOperator.CONCATENATION,
    parts,
    [joined],
    [BuiltinOptions.ConcatenationOptions, (b) => ConcatenationOptions.createConcatenationOptions(b, -1, NONE)],
  );
  model.operator(
    BuiltinOperator.STRIDED_SLICE,
    [joined, model.ints([0, 0, 1]), model.ints([1, 6, 6]), model.ints([1, 1, 2])],
    [sliced],
    [BuiltinOptions.StridedSliceOptions, (b) => StridedSliceOptions.createStridedSliceOptions(b, 0, 0, 0, 0, 1, false)],
  );
  model.operator(BuiltinOperator.RESHAPE, [sliced, model.ints([1, -1])], [flat]);
  const plain = FullyConnectedOptionsWeightsFormat.DEFAULT;
  model.operator(
    BuiltinOperator.FULLY_CONNECTED,
    [flat, nibbles, -1],
    [dense],
    [
      BuiltinOptions.FullyConnectedOptions,
      (b) => FullyConnectedOptions.createFullyConnectedOptions(b, NONE, plain, false, false),
    ],
  );
  model.operator(
    BuiltinOperator.SOFTMAX,
    [dense],
    [y],
    [BuiltinOptions.SoftmaxOptions, (b) => SoftmaxOptions.createSoftmaxOptions(b, 1)],
  );
  model.operator(BuiltinOperator.DEQUANTIZE, [y], [float]);
  return model.build([x], [float]);
}

/** Values that bounds checks get wrong. */
const EDGES = [0, 1, -1, 2, 4, 0x7f, 0x80, 0xff, 0x7fff, 0x7fffffff, -0x80000000, 0x10000, 0x40000000];

function mutate(sound: Uint8Array, next: () => number): Uint8Array {
  const bytes = sound.slice();
  const at = (below: number): number => Math.floor(next() * below);
  // Tables are at the end of a file that was built back to front, and at the start of others.
  const place = (width: number): number =>
    next() < 0.5 ? at(bytes.length - width) : at(Math.min(bytes.length, 4096) - width);
  const view = new DataView(bytes.buffer);
  switch (at(5)) {
    case 0:
      return bytes.subarray(0, at(bytes.length));
    case 1:
      for (let i = 0; i <= at(3); i++) {
        const offset = place(1);
        bytes[offset] = (bytes[offset] ?? 0) ^ (1 << at(8));
      }
      return bytes;
    case 2:
      bytes.copyWithin(place(64), place(64), place(64));
      return bytes;
    case 3:
      view.setInt32(place(4) & ~3, EDGES[at(EDGES.length)] ?? 0, true);
      return bytes;
    default:
      view.setInt32(place(4) & ~3, at(bytes.length * 2) - at(64), true);
      return bytes;
  }
}

function checkGraph(graph: Graph): void {
  const count = graph.tensors.length;
  for (const tensor of graph.tensors) {
    if (tensor.shape.some((size) => !Number.isInteger(size) || size < 1)) throw new Error(`shape [${tensor.shape}]`);
    if (tensor.data !== undefined && tensor.data.length !== elementCount(tensor.shape))
      throw new Error(`data of ${tensor.name}`);
  }
  for (const node of graph.nodes) {
    for (const id of [...node.inputs, ...node.outputs]) if (id < -1 || id >= count) throw new Error(`tensor ${id}`);
  }
}

/** Returns how many mutants were still imported. */
function survive(sound: Uint8Array, seed: number, rounds: number): number {
  const next = random(seed);
  let imported = 0;
  for (let round = 0; round < rounds; round++) {
    const bytes = mutate(sound, next);
    const started = performance.now();
    try {
      checkGraph(importModel(bytes, "damaged.tflite"));
      imported++;
    } catch (error) {
      if (!(error instanceof ToolError)) throw new Error(`seed ${seed}, round ${round}: ${error}`, { cause: error });
      if (error.message.length === 0) throw new Error(`seed ${seed}, round ${round}: no message`);
    }
    // A hang shows as seconds; the bound leaves room for a busy machine.
    const took = performance.now() - started;
    if (took > 2000) throw new Error(`seed ${seed}, round ${round}: took ${took.toFixed(0)} ms`);
  }
  return imported;
}

describe("damaged files", () => {
  const sound = soundModel();

  test("the sound file imports", () => {
    const graph = importModel(sound, "sound.tflite");
    // The quantize nodes at both edges, the pad and the relu are gone.
    expect(graph.nodes.map((node) => node.op)).toEqual([
      "requantize",
      "conv2d",
      "split",
      "concat",
      "stridedSlice",
      "reshape",
      "fullyConnected",
      "softmax",
    ]);
  });

  test.each([1, 2, 3, 4])("thousands of mutations, seed %i", (seed) => {
    const imported = survive(sound, seed, 2000);
    // Some hit bytes that do not matter; most do not.
    expect(imported).toBeGreaterThan(30);
    expect(imported).toBeLessThan(1900);
  });

  test("every truncation", () => {
    // The last bytes written belong to tables whose fields may all be left out.
    const unread = 32;
    for (let length = 0; length < sound.length - unread; length++) {
      expect(() => importModel(sound.subarray(0, length), "cut.tflite"), `${length} bytes`).toThrow(ToolError);
    }
  });

  test("every word set to an edge value", () => {
    const bytes = sound.slice();
    const view = new DataView(bytes.buffer);
    for (let offset = 0; offset + 4 <= bytes.length; offset += 4) {
      const kept = view.getInt32(offset, true);
      for (const value of [0, -1, 0x7fffffff, 1]) {
        view.setInt32(offset, value, true);
        try {
          checkGraph(importModel(bytes, "edge.tflite"));
        } catch (error) {
          if (!(error instanceof ToolError)) throw new Error(`offset ${offset}, value ${value}`, { cause: error });
        }
      }
      view.setInt32(offset, kept, true);
    }
  });
});

describe("hostile files", () => {
  test("a tensor before it is computed", () => {
    const model = new TfliteBuilder();
    const [a, b] = [model.tensor({ name: "a", shape: [1] }), model.tensor({ name: "b", shape: [1] })];
    model.operator(BuiltinOperator.RELU, [a], [b]);
    model.operator(BuiltinOperator.RELU, [b], [a]);
    expect(() => importModel(model.build([], [b]), "m.tflite")).toThrow(
      'm.tflite is damaged: operator 0 reads "a" before it is computed; get the file again.',
    );
  });

  test("data that does not fit the shape", () => {
    const bytes = oneOperator(
      BuiltinOperator.MUL,
      [{ shape: [4] }, { name: "c", shape: [4], data: new Int8Array(3) }],
      [{ shape: [4] }],
    );
    expect(() => importModel(bytes, "m.tflite")).toThrow(
      'm.tflite is damaged: tensor "c" of type int8 and shape [4] has 3 bytes of data, expected 4; get the file again.',
    );
  });

  test("a shape of more elements than can be", () => {
    const huge = { name: "x", shape: [65536, 65536] };
    expect(() => importModel(oneOperator(BuiltinOperator.RELU, [huge], [huge]), "m.tflite")).toThrow(
      /over 2147483647 elements/,
    );
  });

  test("a long chain of moves is imported in linear time", () => {
    const model = new TfliteBuilder();
    const shape = model.ints([2, 2]);
    let last = model.tensor({ name: "t", shape: [4] });
    const x = last;
    for (let i = 0; i < 8000; i++) {
      const next = model.tensor({ name: "t", shape: [2, 2] });
      model.operator(BuiltinOperator.RESHAPE, [last, shape], [next]);
      last = next;
    }
    const bytes = model.build([x], [last]);
    const started = performance.now();
    expect(importModel(bytes, "m.tflite").nodes).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describeShared("damaged real files", (data) => {
  test.each(["kws_ref_model", "mobilenet_v1_0.25_128_quant"])("mutations of %s", (name) => {
    survive(readFileSync(join(data, "models", `${name}.tflite`)), 7, 200);
  });
});
