// gather: any axis, dtype and index, constant or computed, on every build.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elementCount } from "../../tools/graph/graph.ts";
import { expectConformance } from "../support/conformance.ts";
import { integers } from "../support/floatCases.ts";
import { activation, constant, singleNode } from "../support/graphs.ts";
import { randomData } from "../support/random.ts";

describe("gather", () => {
  it("equals the reference on every build", () => {
    const arbitrary = fc.record({
      shape: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
      axis: fc.nat({ max: 3 }),
      count: fc.integer({ min: 1, max: 7 }),
      dtype: fc.constantFrom("int8" as const, "float32" as const, "int32" as const),
      fixed: fc.boolean(),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(arbitrary, ({ shape, axis: any, count, dtype, fixed, seed }) => {
        const axis = any % shape.length;
        const out = [...shape.slice(0, axis), count, ...shape.slice(axis + 1)];
        const places = integers(count, seed, -9, 9);
        const tensor = (name: string, dims: readonly number[]) =>
          dtype === "int8" ? activation(name, dims, 0.1, 3) : { name, shape: dims, dtype };
        const index = fixed
          ? constant("i", [count], "int32", places)
          : { name: "i", shape: [count], dtype: "int32" as const };
        const graph = singleNode({ op: "gather", attrs: { axis } }, [tensor("x", shape), index], [tensor("y", out)]);
        expectConformance(graph, [randomData(dtype, elementCount(shape), seed), ...(fixed ? [] : [places])]);
      }),
      { numRuns: 80, seed: 8 },
    );
  });

  it("clamps what lies outside, and counts negative indices from the end", () => {
    const graph = singleNode(
      { op: "gather", attrs: { axis: 0 } },
      [
        { name: "x", shape: [3], dtype: "float32" },
        { name: "i", shape: [4], dtype: "int32" },
      ],
      [{ name: "y", shape: [4], dtype: "float32" }],
    );
    const [y] = expectConformance(graph, [Float32Array.of(1, 2, 3), Int32Array.of(-1, 7, -2147483648, 1)]);
    expect([...(y as Float32Array)]).toEqual([3, 3, 1, 2]);
  });
});
