// batchMatmul: every build equals the reference for any sizes, transpositions, broadcasting and zero points.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elementCount } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { buildImage } from "../../tools/pack/image.ts";
import { expectConformance } from "../support/conformance.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";
import { Random } from "../support/random.ts";

interface Case {
  aBatch: readonly number[];
  bBatch: readonly number[];
  m: number;
  n: number;
  k: number;
  transposeA: boolean;
  transposeB: boolean;
  aZero: number;
  bZero: number;
  outZero: number;
}

const plain: Case = {
  aBatch: [],
  bBatch: [],
  m: 5,
  n: 6,
  k: 7,
  transposeA: false,
  transposeB: false,
  aZero: 3,
  bZero: -4,
  outZero: 1,
};

function graphOf(c: Case) {
  const rank = Math.max(c.aBatch.length, c.bBatch.length);
  const dims = Array.from({ length: rank }, (_, i) => Math.max(c.aBatch.at(i - rank) ?? 1, c.bBatch.at(i - rank) ?? 1));
  const a = activation("a", [...c.aBatch, ...(c.transposeA ? [c.k, c.m] : [c.m, c.k])], 0.05, c.aZero);
  const b = activation("b", [...c.bBatch, ...(c.transposeB ? [c.n, c.k] : [c.k, c.n])], 0.04, c.bZero);
  const y = activation("y", [...dims, c.m, c.n], 0.15 * Math.sqrt(c.k), c.outZero);
  const attrs = { transposeA: c.transposeA, transposeB: c.transposeB };
  return singleNode({ op: "batchMatmul", attrs }, [a, b], [y]);
}

function run(c: Case, seed: number) {
  const graph = graphOf(c);
  const random = new Random(seed);
  const inputs = graph.inputs.map((id) => random.int8(elementCount(graph.tensors[id]!.shape)));
  return expectConformance(graph, inputs);
}

const byte = fc.integer({ min: -128, max: 127 });
const size = fc.integer({ min: 1, max: 37 });

describe("batchMatmul", () => {
  it("equals the reference on every build", () => {
    const arbitrary = fc.record({
      batch: fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.boolean(), fc.boolean()), { maxLength: 3 }),
      shorter: fc.nat(2),
      m: size,
      n: size,
      k: size,
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
      aZero: byte,
      bZero: byte,
      outZero: byte,
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(arbitrary, ({ batch, shorter, seed, ...rest }) => {
        const aBatch = batch.map(([dim, one]) => (one ? 1 : dim));
        const bBatch = batch.map(([dim, , one]) => (one ? 1 : dim));
        run({ ...rest, aBatch: aBatch.slice(shorter), bBatch }, seed);
      }),
      { numRuns: 300, seed: 20 },
    );
  });

  it("holds the extremes", () => {
    const graph = graphOf({ ...plain, m: 4, n: 8, k: 64, aZero: 127, bZero: 127 });
    const low = (count: number) => new Int8Array(count).fill(-128);
    expectConformance(graph, [low(4 * 64), low(64 * 8)]);
  });

  it("multiplies by a constant", () => {
    const random = new Random(7);
    const b = constant("b", [3, 7, 6], "int8", random.int8(126), quant(0.04, -4));
    const attrs = { transposeA: true, transposeB: false };
    const a = activation("a", [3, 7, 5], 0.05, 3);
    const y = activation("y", [3, 5, 6], 0.4, 1);
    expectConformance(singleNode({ op: "batchMatmul", attrs }, [a, b], [y]), [random.int8(105)]);
  });

  it("folds the batches of a shared matrix into one product", () => {
    const { steps } = buildImage(graphOf({ ...plain, aBatch: [2, 3] })).lowered;
    expect(steps).toHaveLength(1);
  });

  it("says what is wrong", () => {
    const graph = graphOf({ ...plain, aBatch: [2], bBatch: [3] });
    expect(() => validateGraph(graph)).toThrow(
      "batchMatmul: the leading axes of [2,5,7] and [3,7,6] do not broadcast: 2 against 3; make them equal or 1.",
    );
    const inner = graphOf(plain);
    inner.tensors[1] = activation("b", [8, 6], 0.04, 0);
    expect(() => validateGraph(inner)).toThrow(/inner axes of \[5,7\] and \[8,6\] must be equal but are 7 and 8/);
    expect(() => validateGraph(graphOf({ ...plain, k: 40000 }))).toThrow(/has 40000 elements but at most 33025/);
  });
});
