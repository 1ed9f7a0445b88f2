// Random broadcasts for the binary operators' tests. Invariant: the two shapes always broadcast.

import fc from "fast-check";
import type { Activation, Graph, Node, TensorData } from "../../tools/graph/graph.ts";
import { activation, constant, quant, singleNode } from "./graphs.ts";
import { Random } from "./random.ts";

const byte = fc.oneof(fc.integer({ min: -128, max: 127 }), fc.constantFrom(-128, 0, 127));

export const binaryCases = fc.record({
  // Per axis: its size and which of the inputs repeat along it.
  axes: fc.array(
    fc.record({
      size: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(16, 17, 33)),
      repeats: fc.constantFrom("none", "none", "a", "b"),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  // Leading axes of size 1 that an input leaves out.
  shortA: fc.boolean(),
  shortB: fc.boolean(),
  constantB: fc.boolean(),
  zeroA: byte,
  zeroB: byte,
  zeroOut: byte,
  ratioA: fc.double({ min: -6, max: 6, noNaN: true }),
  ratioB: fc.double({ min: -6, max: 6, noNaN: true }),
  activation: fc.constantFrom<Activation>("none", "none", "relu", "relu6", "reluN1To1"),
  seed: fc.integer(),
});
export type BinaryCase = typeof binaryCases extends fc.Arbitrary<infer T> ? T : never;

function withoutLeadingOnes(shape: readonly number[]): readonly number[] {
  const first = shape.findIndex((size) => size !== 1);
  return first < 0 ? [] : shape.slice(first);
}

/** `outScale` from the two input scales, so that outputs neither vanish nor all saturate. */
export function binaryGraph(
  op: Extract<Node["op"], "add" | "sub" | "mul" | "squaredDifference">,
  c: BinaryCase,
  outScale: (a: number, b: number) => number,
): { graph: Graph; inputs: TensorData[] } {
  const random = new Random(c.seed);
  const fullA = c.axes.map(({ size, repeats }) => (repeats === "a" ? 1 : size));
  const fullB = c.axes.map(({ size, repeats }) => (repeats === "b" ? 1 : size));
  const shapeA = c.shortA ? withoutLeadingOnes(fullA) : fullA;
  const shapeB = c.shortB ? withoutLeadingOnes(fullB) : fullB;
  const rank = Math.max(shapeA.length, shapeB.length);
  const shape = fullA.map((size, i) => Math.max(size, fullB[i]!)).slice(c.axes.length - rank);
  const scaleA = 0.05 * 2 ** c.ratioA;
  const scaleB = 0.05 * 2 ** c.ratioB;
  const a = random.int8(fullA.reduce((x, y) => x * y, 1));
  const b = random.int8(fullB.reduce((x, y) => x * y, 1));
  const tensorB = c.constantB
    ? constant("b", shapeB, "int8", b, quant(scaleB, c.zeroB))
    : activation("b", shapeB, scaleB, c.zeroB);
  return {
    graph: singleNode(
      { op, attrs: { activation: c.activation } } as Pick<Node, "op" | "attrs">,
      [activation("a", shapeA, scaleA, c.zeroA), tensorB],
      [activation("y", shape, outScale(scaleA, scaleB), c.zeroOut)],
    ),
    inputs: c.constantB ? [a] : [a, b],
  };
}
