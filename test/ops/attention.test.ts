// attention: every build equals the reference over heads, groups, masks and counts; and it is the real function.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Tensor } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { BUILDS, expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { expectContained } from "../support/hostileSteps.ts";
import { Random } from "../support/random.ts";

interface Case {
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
  readonly keyHeads: number;
  readonly group: number;
  readonly width: number;
  readonly causal: boolean;
  readonly counted: "first" | "last";
  readonly counts: "none" | "int8" | "int32";
  readonly spread: number;
  readonly seed: number;
}

const cases = fc.record<Case>({
  batch: fc.integer({ min: 1, max: 3 }),
  queries: fc.integer({ min: 1, max: 9 }),
  keys: fc.integer({ min: 1, max: 21 }),
  keyHeads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 3 }),
  width: fc.integer({ min: 1, max: 19 }),
  causal: fc.boolean(),
  counted: fc.constantFrom("first", "last"),
  counts: fc.constantFrom("none", "int8", "int32"),
  spread: fc.double({ min: 0.001, max: 0.1, noNaN: true }),
  seed: fc.integer(),
});

function graphOf(c: Case) {
  const random = new Random(c.seed);
  const heads = c.keyHeads * c.group;
  const tensor = (name: string, rows: number, columns: number): Tensor =>
    activation(name, [c.batch, rows, columns], c.spread, random.integer(-128, 127));
  const all = heads * c.width;
  const each = c.keyHeads * c.width;
  const inputs: Tensor[] = [tensor("q", c.queries, all), tensor("k", c.keys, each), tensor("v", c.keys, each)];
  const data: (Int8Array | Int32Array)[] = inputs.map(({ shape }) => random.int8(shape.reduce((a, b) => a * b)));
  if (c.counts === "int32") {
    inputs.push({ name: "n", shape: [c.batch], dtype: "int32" });
    data.push(Int32Array.from({ length: c.batch }, () => random.integer(-1, c.keys + 1)));
  } else if (c.counts === "int8") {
    inputs.push(activation("n", [c.batch], 1, -128));
    data.push(Int8Array.from({ length: c.batch }, () => random.integer(0, c.keys) - 128));
  }
  const attrs = { heads, keyHeads: c.keyHeads, scale: 1 / Math.sqrt(c.width), causal: c.causal, counted: c.counted };
  const graph = singleNode({ op: "attention", attrs }, inputs, [activation("y", inputs[0]!.shape, c.spread, 5)]);
  return { graph, inputs: data };
}

const plain: Case = {
  batch: 1,
  queries: 6,
  keys: 6,
  keyHeads: 2,
  group: 2,
  width: 8,
  causal: false,
  counted: "first",
  counts: "int32",
  spread: 0.02,
  seed: 4,
};

describe("attention", () => {
  it("equals the reference on every build", () => {
    fc.assert(
      fc.property(cases, (c) => {
        const { graph, inputs } = graphOf(c);
        expectConformance(graph, inputs);
      }),
      { numRuns: 300, seed: 61 },
    );
  });

  it("runs four heads over sixty-four tokens of width 128, and one query over a ring", () => {
    for (const c of [
      { ...plain, queries: 64, keys: 64, keyHeads: 4, group: 1, width: 32 },
      { ...plain, queries: 1, keys: 130, causal: true, counted: "last", counts: "int8" } as const,
    ]) {
      const { graph, inputs } = graphOf(c);
      expectConformance(graph, inputs);
    }
  });

  it("is softmax(q kᵀ / √width) v within a step of the output", () => {
    const c = { ...plain, counts: "none", queries: 9, keys: 17, keyHeads: 1, group: 1, width: 16 } as const;
    const { graph, inputs } = graphOf(c);
    const [q, k, v] = [0, 1, 2].map((i) => {
      const { quant } = graph.tensors[i]!;
      return Array.from(inputs[i]!, (x) => (x - quant!.zeroPoint[0]!) * quant!.scale[0]!);
    }) as [number[], number[], number[]];
    const [y] = expectConformance(graph, inputs);
    for (let i = 0; i < c.queries; i++) {
      const scores = Array.from({ length: c.keys }, (_, j) => {
        let sum = 0;
        for (let w = 0; w < c.width; w++) sum += q[i * c.width + w]! * k[j * c.width + w]!;
        return Math.exp(sum / Math.sqrt(c.width));
      });
      const total = scores.reduce((a, b) => a + b);
      for (let w = 0; w < c.width; w++) {
        const real = scores.reduce((sum, e, j) => sum + (e / total) * v[j * c.width + w]!, 0);
        const clamped = Math.max(-128, Math.min(127, real / c.spread + 5));
        expect(Math.abs(Number(y![i * c.width + w]) - clamped)).toBeLessThan(1.5);
      }
    }
  });

  it("gives the zero point where no key counts", () => {
    const { graph, inputs } = graphOf(plain);
    const [y] = expectConformance(graph, [...inputs.slice(0, 3), Int32Array.of(0)]);
    expect(new Set(y as Int8Array)).toEqual(new Set([5]));
  });

  it("stays inside the arena or is refused when its step is hostile", () => {
    for (const build of BUILDS) {
      for (const counts of ["int32", "int8"] as const) {
        const accepted = expectContained(build, graphOf({ ...plain, counts }).graph, 3000, 42);
        expect(accepted).toBeGreaterThan(40);
        expect(accepted).toBeLessThan(2900);
      }
    }
  });

  it("refuses heads that do not divide, and counts of another kind", () => {
    const { graph } = graphOf(plain);
    const [node] = graph.nodes;
    const attrs = { ...node!.attrs, heads: 3 };
    expect(() => validateGraph({ ...graph, nodes: [{ ...node!, attrs } as never] })).toThrow(/3 heads over queries/);
    const tensors = graph.tensors.map((tensor) => (tensor.name === "n" ? { ...tensor, shape: [2] } : tensor));
    expect(() => validateGraph({ ...graph, tensors })).toThrow(/one whole number a batch/);
  });
});
