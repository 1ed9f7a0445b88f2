// What the tests of layerNorm and rmsNorm share. Invariant: rows of every width from 1, also constant ones.

import fc from "fast-check";
import { expect } from "vitest";
import { validateGraph } from "../../tools/graph/validate.ts";
import { BUILDS, expectConformance } from "./conformance.ts";
import { activation, constant, singleNode } from "./graphs.ts";
import { expectContained } from "./hostileSteps.ts";
import { Random } from "./random.ts";

type Name = "layerNorm" | "rmsNorm";

export function normalizeGraph(op: Name, rows: number, width: number, offset: boolean, seed: number) {
  const random = new Random(seed);
  const values = (): Float32Array => Float32Array.from({ length: width }, () => random.real(-2, 2));
  const graph = singleNode(
    { op, attrs: { epsilon: 1e-5 } },
    [
      activation("x", [rows, width], random.real(0.001, 0.1), random.integer(-128, 127)),
      constant("gain", [width], "float32", values()),
      offset ? constant("offset", [width], "float32", values()) : undefined,
    ],
    [activation("y", [rows, width], random.real(0.01, 0.05), random.integer(-50, 50))],
  );
  return { graph, x: random.int8(rows * width) };
}

export function normalizeConforms(op: Name): void {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 70 }),
      fc.boolean(),
      fc.integer(),
      (rows, width, offset, seed) => {
        const { graph, x } = normalizeGraph(op, rows, width, offset, seed);
        expectConformance(graph, [x]);
        expectConformance(graph, [x.fill(x[0]!)]);
      },
    ),
    { numRuns: 150, seed: 62 },
  );
}

/** y against the real function of the same integers. */
export function normalizeIsReal(op: Name): void {
  const width = 48;
  const { graph, x } = normalizeGraph(op, 3, width, true, 5);
  const [input, gain, offset, output] = graph.tensors;
  const [y] = expectConformance(graph, [x]);
  const real = Array.from(x, (q) => (q - input!.quant!.zeroPoint[0]!) * input!.quant!.scale[0]!);
  for (let row = 0; row < 3; row++) {
    const values = real.slice(row * width, (row + 1) * width);
    const mean = op === "layerNorm" ? values.reduce((a, b) => a + b) / width : 0;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
    for (const [c, value] of values.entries()) {
      const want = ((value - mean) / Math.sqrt(variance + 1e-5)) * Number(gain!.data![c]) + Number(offset!.data![c]);
      const q = want / output!.quant!.scale[0]! + output!.quant!.zeroPoint[0]!;
      expect(Math.abs(Number(y![row * width + c]) - Math.max(-128, Math.min(127, q)))).toBeLessThan(0.51);
    }
  }
}

export function normalizeIsContained(op: Name): void {
  for (const build of BUILDS) {
    const accepted = expectContained(build, normalizeGraph(op, 3, 21, true, 1).graph, 3000, 42);
    expect(accepted).toBeGreaterThan(40);
    expect(accepted).toBeLessThan(2900);
  }
}

export function normalizeRefuses(op: Name): void {
  const { graph } = normalizeGraph(op, 2, 7, false, 1);
  const shorter = graph.tensors.map((tensor) =>
    tensor.name === "gain" ? { ...tensor, shape: [6], data: new Float32Array(6) } : tensor,
  );
  expect(() => validateGraph({ ...graph, tensors: shorter })).toThrow(/"gain" must be a float32 constant of 7 values/);
  const nodes = graph.nodes.map((node) => ({ ...node, attrs: { epsilon: 0 } }) as never);
  expect(() => validateGraph({ ...graph, nodes })).toThrow(/epsilon above 0/);
}
