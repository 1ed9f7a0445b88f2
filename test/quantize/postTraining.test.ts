// Post-training quantization of a small float net: what each correction promises, on inputs that it did not see.

import { describe, expect, it } from "vitest";
import { CoreRun } from "../../tools/evaluate/coreRun.ts";
import { realValues, storedInput } from "../../tools/evaluate/layerInputs.ts";
import { evaluate } from "../../tools/evaluate/reference.ts";
import type { Graph } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { type PostTrainingOptions, postTrainingQuantize } from "../../tools/quantize/postTraining.ts";
import { parseWeights } from "../../tools/quantize/precision.ts";
import { floatNet, pictures } from "../support/floatNet.ts";

const [seen, held] = [pictures(40, 1), pictures(60, 2)];

/** The outputs for the held sets, real. */
function outputs(graph: Graph): Float32Array[] {
  const run = new CoreRun(graph);
  return held.map(([x]) => {
    const [y] = run.run([storedInput(graph.tensors[graph.inputs[0]!]!, x!)]);
    return realValues(graph.tensors[graph.outputs[0]!]!, y!);
  });
}

function errors(net: Graph, options: PostTrainingOptions): { bias: number; power: number } {
  const graph = postTrainingQuantize(net, seen, options);
  validateGraph(graph);
  const [want, got] = [outputs(net), outputs(graph)];
  const shift = new Float64Array(5);
  let power = 0;
  for (const [i, row] of want.entries()) {
    for (let c = 0; c < 5; c++) {
      const error = got[i]![c]! - row[c]!;
      shift[c]! += error / want.length;
      power += error * error;
    }
  }
  return { bias: shift.reduce((sum, one) => sum + one * one, 0), power };
}

const total = (values: number[]): number => values.reduce((sum, value) => sum + value, 0);
const over = (options: PostTrainingOptions) => [3, 4, 5, 6].map((seed) => errors(floatNet(seed), options));

const int4 = { default: parseWeights("int4", "--weights"), layers: [] };

describe("bias correction", () => {
  const [without, corrected] = [false, true].map((biasCorrection) =>
    over({ observer: { kind: "minmax" }, weights: int4, biasCorrection }),
  ) as [ReturnType<typeof over>, ReturnType<typeof over>];

  it("takes most of the mean error of the outputs away, also on unseen inputs", () => {
    expect(total(corrected.map(({ bias }) => bias))).toBeLessThan(0.5 * total(without.map(({ bias }) => bias)));
  });

  it("makes the whole error smaller", () => {
    expect(total(corrected.map(({ power }) => power))).toBeLessThan(total(without.map(({ power }) => power)));
  });
});

describe("compensated rounding", () => {
  it.each(["int4", "int4:g32", "codebook"])("of %s makes the error of the outputs smaller", (text) => {
    const weights = { default: parseWeights(text, "--weights"), layers: [] };
    const [near, better] = (["nearest", "compensated"] as const).map((rounding) =>
      total(over({ weights, rounding }).map(({ power }) => power)),
    );
    expect(better).toBeLessThan(near!);
  });
});

describe("postTrainingQuantize", () => {
  it("gives the core the bytes of the integer reference, and the same graph twice", () => {
    const graph = postTrainingQuantize(floatNet(7), seen);
    const stored = held.slice(0, 3).map(([x]) => storedInput(graph.tensors[graph.inputs[0]!]!, x!));
    const run = new CoreRun(graph);
    for (const x of stored) expect(run.run([x])).toEqual(evaluate(graph, [x]));
    expect(postTrainingQuantize(floatNet(7), seen)).toEqual(graph);
  });

  it("leaves named layers in float32", () => {
    const graph = postTrainingQuantize(floatNet(7), seen, { keepFloat: (name) => name === "pointwise" });
    expect(graph.nodes.map(({ op }) => op)).toContain("floatConv");
    expect(graph.nodes.map(({ op }) => op)).toContain("depthwiseConv2d");
    validateGraph(graph);
  });
});
