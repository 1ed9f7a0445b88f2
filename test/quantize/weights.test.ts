// Weights rounded anew: their codings hold, the real values stay near, biases stay what they were, and what no rule
// names stays untouched.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluate } from "../../tools/evaluate/reference.ts";
import type { Graph, Tensor } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { parseWeights } from "../../tools/quantize/precision.ts";
import { roundToGrid } from "../../tools/quantize/rounding.ts";
import { recodeWeights } from "../../tools/quantize/weights.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
import { Random } from "../support/random.ts";

function dense(inC: number, outC: number, seed: number): Graph {
  const random = new Random(seed);
  const scales = Array.from({ length: outC }, () => random.real(0.001, 0.02));
  // the sum of three: near to normal, as weights are
  const weights = Int8Array.from({ length: inC * outC }, () =>
    Math.round((random.integer(-127, 127) + random.integer(-127, 127) + random.integer(-127, 127)) / 3),
  );
  return singleNode(
    { op: "fullyConnected", attrs: { activation: "none" } },
    [
      activation("x", [2, inC], 0.05, 3),
      constant("w", [outC, inC], "int8", weights, quant(scales)),
      constant(
        "b",
        [outC],
        "int32",
        Int32Array.from({ length: outC }, () => random.integer(-9000, 9000)),
      ),
    ],
    [activation("y", [2, outC], 0.02 * Math.sqrt(inC), 0)],
  );
}

const all = (text: string) => ({ default: parseWeights(text, "--weights"), layers: [] });
const weightsOf = (graph: Graph): Tensor => graph.tensors[graph.nodes[0]!.inputs[1]!]!;

function reals({ data, quant: q, shape }: Tensor): number[] {
  const [outC = 1, inC = 1] = shape;
  const perRow = q!.scale.length / outC;
  return Array.from(data as Int8Array, (value, i) => {
    const group = q!.groupSize === undefined ? 0 : Math.floor((i % inC) / q!.groupSize);
    const at = Math.floor(i / inC) * perRow + group;
    return q!.scale[at]! * (value - q!.zeroPoint[at]!);
  });
}

/** Signal to error of the weights' real values, dB. */
function sqnr(before: Graph, after: Graph): number {
  const [was, is] = [reals(weightsOf(before)), reals(weightsOf(after))];
  const signal = was.reduce((sum, w) => sum + w * w, 0);
  return 10 * Math.log10(signal / was.reduce((sum, w, i) => sum + (w - is[i]!) ** 2, 0));
}

describe("weights rounded anew", () => {
  const graph = dense(256, 32, 1);

  it.each([
    ["int8", 40],
    ["int7", 34],
    ["int4:g32", 21],
    ["int4:g32:asym", 21.5],
    ["int4:g128", 19.5],
    ["codebook", 20],
    ["int4", 19],
    ["codebook:5", 19.5],
    ["ternary", 7],
    ["binary", 4],
  ])("%s keeps their values to %d dB", (text, least) => {
    const after = recodeWeights(graph, all(text));
    validateGraph(after);
    expect(sqnr(graph, after)).toBeGreaterThan(least);
    const { coding } = weightsOf(after);
    expect(coding).toBe(text === "int8" || text === "int7" ? undefined : text.split(":")[0]);
  });

  it("keeps the biases' real values", () => {
    const silent = Int8Array.from({ length: 512 }, () => 3);
    const [was] = evaluate(graph, [silent]);
    for (const text of ["int8", "int7", "int4", "int4:g32", "codebook", "ternary", "binary"]) {
      const [is] = evaluate(recodeWeights(graph, all(text)), [silent]);
      const far = (is as Int8Array).reduce((most, q, i) => Math.max(most, Math.abs(q - Number(was![i]))), 0);
      expect(far, text).toBeLessThanOrEqual(1);
    }
  });

  it("leaves what no rule names as it is", () => {
    const after = recodeWeights(graph, all("keep"));
    expect(after.nodes).toEqual(graph.nodes);
    expect(weightsOf(after)).toBe(weightsOf(graph));
  });

  it("takes layers of nothing but zeros", () => {
    const empty = dense(8, 4, 2);
    (empty.tensors[1]!.data as Int8Array).fill(0);
    for (const text of ["int8", "int4", "int4:g32", "codebook", "ternary"]) {
      const after = recodeWeights(empty, all(text));
      validateGraph(after);
      expect(reals(weightsOf(after)).every((w) => w === 0)).toBe(true);
    }
  });

  it("does not round twice what has groups already", () => {
    const grouped = recodeWeights(graph, all("int4:g32"));
    expect(() => recodeWeights(grouped, all("int8"))).toThrow("have a scale for every 32 inputs already");
  });
});

describe("a grid's scale", () => {
  it("leaves no more error than the scale that clips nothing", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 }),
        (list) => {
          const values = Float64Array.from(list);
          const error = (scale: number, q: (x: number) => number): number =>
            values.reduce((sum, x) => sum + (x - scale * q(x)) ** 2, 0);
          const { scale, values: got } = roundToGrid(values, -8, 7, false, 1);
          const plain = Math.max(...list.map((x) => (x > 0 ? x / 7 : x / -8)), 2 ** -120);
          const best = values.reduce((sum, x, i) => sum + (x - scale * got[i]!) ** 2, 0);
          expect(best).toBeLessThanOrEqual(
            error(plain, (x) => Math.max(-8, Math.min(7, Math.round(x / plain)))) * 1.01 +
              1e-12 * values.reduce((sum, x) => sum + x * x, 1),
          );
        },
      ),
      { numRuns: 200, seed: 8 },
    );
  });
});
