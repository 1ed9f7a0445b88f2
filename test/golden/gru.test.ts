// A float GRU from the field with its weights rounded to int8: on Japanese Vowels its accuracy stays within half a point,
// with the state kept in int16 as in int8, and a frame at a time it gives the bytes of the whole sequence.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadModel } from "../../host/targets/node.ts";
import { evaluate } from "../../tools/evaluate/reference.ts";
import type { Graph, Node, Tensor } from "../../tools/graph/graph.ts";
import { streamGraph } from "../../tools/graph/stream.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { importModel } from "../../tools/import/index.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { BUILDS } from "../support/core.ts";
import { activation, constant, quant } from "../support/graphs.ts";
import { describeShared } from "../support/shared.ts";

const [STEPS, FEATURES, CLASSES] = [25, 12, 9];

/** Rows rounded to int8, a scale each. */
function rounded(name: string, rows: number, cells: number, data: Float32Array): Tensor {
  const scales = Array.from({ length: rows }, (_, n) => {
    const row = data.subarray(n * cells, (n + 1) * cells);
    return row.reduce((most, w) => Math.max(most, Math.abs(w)), 1e-9) / 127;
  });
  const weights = Int8Array.from(data, (w, i) => Math.round(w / scales[Math.floor(i / cells)]!));
  return constant(name, [rows, cells], "int8", weights, quant(scales));
}

function bias(name: string, data: Float32Array, weights: Tensor, scale: number): Tensor {
  const values = Int32Array.from(data, (b, n) => Math.round(b / (scale * weights.quant!.scale[n]!)));
  return constant(name, [data.length], "int32", values);
}

/** The float net's constants as an int8 net: gru, its last step, a dense layer. */
function quantized(float: Graph, most: number, state: "int8" | "int16"): Graph {
  const [gru, dense] = ["floatRecurrent", "floatMatmul"].map((op) => float.nodes.find((node) => node.op === op)!) as [
    Node,
    Node,
  ];
  const values = (id: number): Float32Array => float.tensors[id]!.data as Float32Array;
  const units = float.tensors[gru.inputs[2]!]!.shape[1]!;
  const [w, r, both] = gru.inputs.slice(1, 4).map(values) as [Float32Array, Float32Array, Float32Array];
  const turned = Float32Array.from(
    { length: CLASSES * units },
    (_, i) => values(dense.inputs[1]!)[(i % units) * CLASSES + Math.floor(i / units)]!,
  );
  const xScale = most / 127;
  const hScale = state === "int16" ? 2 ** -15 : 1 / 128;
  const [weights, recurrent, last] = [
    rounded("w", 3 * units, FEATURES, w),
    rounded("r", 3 * units, units, r),
    rounded("d", CLASSES, units, turned),
  ];
  return {
    name: "vowels",
    tensors: [
      activation("x", [1, STEPS, FEATURES], xScale, 0),
      weights,
      recurrent,
      bias("bw", both.subarray(0, 3 * units), weights, xScale),
      bias("br", both.subarray(3 * units), recurrent, hScale),
      activation("hs", [1, STEPS, units], 1 / 128, 0),
      activation("h", [1, units], hScale, 0, state),
      activation("last", [1, units], 1 / 128, 0),
      last,
      bias("db", values(dense.inputs[2]!), last, 1 / 128),
      activation("y", [1, CLASSES], 0.1, 0),
    ],
    nodes: [
      {
        op: "gru",
        name: "gru",
        inputs: [0, 1, 2, 3, 4, -1],
        outputs: [5, 6],
        attrs: { direction: "forward", timeMajor: false, resetAfter: true },
      },
      {
        op: "stridedSlice",
        name: "last",
        inputs: [5],
        outputs: [7],
        attrs: { begin: [0, STEPS - 1, 0], strides: [1, 1, 1], sizes: [1, 1, units], squeeze: [1] },
      },
      { op: "fullyConnected", name: "dense", inputs: [7, 8, 9], outputs: [10], attrs: { activation: "none" } },
    ],
    inputs: [0],
    outputs: [10],
  };
}

const argmax = (scores: ArrayLike<number>): number => Array.from(scores).indexOf(Math.max(...Array.from(scores)));

describeShared("a GRU on Japanese Vowels", (data) => {
  const folder = join(data, "datasets/japanese_vowels");
  const floats = (name: string): Float32Array => {
    const bytes = readFileSync(join(folder, name));
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  };
  const float = importModel(readFileSync(join(data, "onnx-models/gru_japanese_vowels.onnx")), "gru.onnx");
  const test = floats("x_test.f32.bin");
  const labels = readFileSync(join(folder, "y_test.u8.bin"));
  const most = floats("x_train.f32.bin").reduce((a, x) => Math.max(a, Math.abs(x)), 0);
  const size = STEPS * FEATURES;
  const items = Array.from(labels, (label, i) => ({ label, x: test.subarray(i * size, (i + 1) * size) }));
  const whole = (x: Float32Array): Int8Array =>
    Int8Array.from(x, (v) => Math.max(-128, Math.min(127, Math.round((v / most) * 127))));
  const accuracy = (classify: (x: Float32Array) => number): number =>
    (100 * items.filter(({ x, label }) => classify(x) === label).length) / items.length;
  const expected = accuracy((x) => argmax(evaluate(float, [x])[0] as Float32Array));

  it.each(["int16", "int8"] as const)("is as accurate with its state in %s", async (state) => {
    const graph = quantized(float, most, state);
    validateGraph(graph);
    const session = await (
      await loadModel(packGraph(graph, { source: "vowels", sourceBytes: new Uint8Array() }).bytes)
    ).createSession();
    const got = accuracy((x) => argmax(session.run(whole(x)).y as Int8Array));
    expect(expected).toBeGreaterThan(90);
    // rounding may also help
    expect(got).toBeGreaterThanOrEqual(expected - 0.5);
  });

  it("classifies frame by frame with the same bytes, on any build", async () => {
    const graph = quantized(float, most, "int16");
    const stream = streamGraph(graph);
    expect(stream.tensors[stream.inputs[0]!]!.shape).toEqual([1, 1, FEATURES]);
    const model = await loadModel(packGraph(stream, { source: "vowels", sourceBytes: new Uint8Array() }).bytes);
    for (const build of BUILDS) {
      const session = await model.createSession({ build });
      for (const { x } of items.slice(0, 20)) {
        session.state.reset();
        const q = whole(x);
        let y: ArrayLike<number> = [];
        for (let t = 0; t < STEPS; t++) y = session.run(q.subarray(t * FEATURES, (t + 1) * FEATURES)).y as Int8Array;
        expect([...(y as Int8Array)]).toEqual([...(evaluate(graph, [q])[0] as Int8Array)]);
      }
    }
  });
});
