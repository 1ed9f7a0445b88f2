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
import { bertWeights } from "../support/smallBert.ts";

const CONFIG = { hidden_size: 32, num_attention_heads: 4, num_hidden_layers: 2, layer_norm_eps: 1e-12 };
const [VOCABULARY, ROWS] = [40, 12];

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

const weights = bertWeights({ config: CONFIG, vocabulary: VOCABULARY, wide: 64, rows: ROWS });
const graph = importModel(bertOnnx(weights, CONFIG, ROWS), "small.onnx");
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
