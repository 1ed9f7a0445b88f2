// A small BERT with the outliers of large ones, quantized: channels balanced, outliers in paths of their own, attention in
// integers. Each float rewriting keeps the function; the integer net keeps the embedding.

import { describe, expect, it } from "vitest";
import { bertOnnx } from "../../examples/sentences/bert.mjs";
import { CoreRun } from "../../tools/evaluate/coreRun.ts";
import { evaluate } from "../../tools/evaluate/reference.ts";
import type { Graph, TensorData } from "../../tools/graph/graph.ts";
import { importModel } from "../../tools/import/index.ts";
import { balanceChannels } from "../../tools/quantize/balance.ts";
import { calibrate } from "../../tools/quantize/calibrate.ts";
import { splitOutliers } from "../../tools/quantize/outlierPaths.ts";
import { postTrainingQuantize } from "../../tools/quantize/postTraining.ts";
import { Random } from "../support/random.ts";

const CONFIG = { hidden_size: 32, num_attention_heads: 4, num_hidden_layers: 2, layer_norm_eps: 1e-12 };
const [VOCABULARY, WIDE, ROWS] = [40, 64, 12];

/** Random weights of a BERT; one channel between the dense layers of each is thirty times as large as the others. */
function safetensors(): Uint8Array {
  const random = new Random(7);
  const table: Record<string, object> = {};
  const parts: Uint8Array[] = [];
  let at = 0;
  const put = (name: string, shape: readonly number[], value: (i: number) => number): void => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i));
    table[name] = { dtype: "F32", shape, data_offsets: [at, at + data.byteLength] };
    at += data.byteLength;
    parts.push(new Uint8Array(data.buffer));
  };
  const drawn = (size: number) => (): number => random.real(-size, size);
  const { hidden_size: width } = CONFIG;
  put("embeddings.word_embeddings.weight", [VOCABULARY, width], drawn(1));
  put("embeddings.position_embeddings.weight", [ROWS, width], drawn(0.3));
  put("embeddings.token_type_embeddings.weight", [2, width], drawn(0.1));
  const norm = (name: string): void => {
    put(`${name}.weight`, [width], (i) => (i === 3 ? 6 : 1));
    put(`${name}.bias`, [width], drawn(0.1));
  };
  const dense = (name: string, outputs: number, inputs: number, row = -1): void => {
    const value = drawn(1 / Math.sqrt(inputs));
    put(`${name}.weight`, [outputs, inputs], (i) => value() * (Math.floor(i / inputs) === row ? 30 : 1));
    put(`${name}.bias`, [outputs], drawn(0.1));
  };
  norm("embeddings.LayerNorm");
  for (let l = 0; l < CONFIG.num_hidden_layers; l++) {
    const from = `encoder.layer.${l}`;
    for (const what of ["self.query", "self.key", "self.value", "output.dense"])
      dense(`${from}.attention.${what}`, width, width);
    norm(`${from}.attention.output.LayerNorm`);
    dense(`${from}.intermediate.dense`, WIDE, width, 5);
    dense(`${from}.output.dense`, width, WIDE, 9);
    norm(`${from}.output.LayerNorm`);
  }
  const json = new TextEncoder().encode(JSON.stringify(table));
  const bytes = new Uint8Array(8 + json.length + at);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  let to = 8 + json.length;
  for (const part of parts) {
    bytes.set(part, to);
    to += part.length;
  }
  return bytes;
}

const sentences = (count: number, seed: number): TensorData[][] => {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, i) => {
    const length = 3 + (i % (ROWS - 2));
    return [
      Int32Array.from({ length: ROWS }, (_, at) => (at < length ? random.integer(0, VOCABULARY - 1) : 0)),
      Int32Array.from({ length: ROWS }, (_, at) => (at < length ? 1 : 0)),
    ];
  });
};

const graph = importModel(bertOnnx(safetensors(), CONFIG, ROWS), "small.onnx");
const known = sentences(24, 1);
const fresh = sentences(12, 2);
const never = (): boolean => false;
const embeddings = (of: Graph): Float32Array[] => {
  const run = new CoreRun(of);
  return fresh.map((set) => run.run(set)[0] as Float32Array);
};
const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

describe("a transformer with outliers", () => {
  const want = embeddings(graph);

  it("is the same function once outliers have paths of their own and channels are balanced", () => {
    const split = splitOutliers(graph, calibrate(graph, known), never);
    expect(split.nodes.filter(({ op, name }) => op === "floatMatmul" && name.endsWith("/path1"))).toHaveLength(4);
    const balanced = balanceChannels(split, calibrate(split, known), never);
    expect(balanced.nodes.length).toBeGreaterThan(split.nodes.length);
    for (const of of [split, balanced])
      for (const [i, embedding] of embeddings(of).entries())
        expect(Math.max(...embedding.map((value, c) => Math.abs(value - want[i]![c]!)))).toBeLessThan(1e-5);
  });

  it("keeps its embeddings in int8, with attention as one step that sees the mask", () => {
    const integer = postTrainingQuantize(graph, known);
    const attention = integer.nodes.filter(({ op }) => op === "attention");
    expect(attention.map(({ inputs }) => inputs.length)).toEqual([4, 4]);
    expect(integer.nodes.some(({ op }) => op === "floatMatmul" || op === "floatSoftmax")).toBe(false);
    const cosines = embeddings(integer).map((embedding, i) => dot(embedding, want[i]!) / Math.hypot(...embedding));
    expect(Math.min(...cosines)).toBeGreaterThan(0.99);
    expect(embeddings(integer)[0]).toEqual(evaluate(integer, fresh[0]!)[0]);
  });

  it("leaves attention in parts where a mask hides more than the end", () => {
    const holes = known.map(([ids]) => [ids!, Int32Array.from({ length: ROWS }, (_, at) => at % 2)]);
    expect(postTrainingQuantize(graph, holes).nodes.some(({ op }) => op === "attention")).toBe(false);
  });

  it("leaves a layer in float that is to stay so", () => {
    const kept = postTrainingQuantize(graph, known, { keepFloat: (name) => name.startsWith("1.down") });
    expect(kept.nodes.filter(({ op }) => op === "floatMatmul")).toHaveLength(1);
  });
});
