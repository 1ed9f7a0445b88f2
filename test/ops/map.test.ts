// map: every function equals the reference on every build, and is close to what Math says.

import { describe, expect, it } from "vitest";
import type { MapName } from "../../tools/graph/graph.ts";
import { mapFloat } from "../../tools/ops/floatMath.ts";
import { MAP_CODES } from "../../tools/ops/map.ts";
import { expectConformance } from "../support/conformance.ts";
import { conforms, plain } from "../support/floatCases.ts";
import { activation, singleNode } from "../support/graphs.ts";

const toFloat: MapName[] = Object.keys(MAP_CODES).slice(0, 27) as MapName[];
const EDGES = Float32Array.of(
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  0.02,
  88,
  89,
  -87,
  -104,
  -120,
  1e-40,
  -1e-40,
  1e30,
  Infinity,
  -Infinity,
);

describe("map", () => {
  it.each(toFloat)("%s equals the reference on every build", (fn) => {
    for (const [i, count] of [1, 3, 4, 7, 130].entries()) {
      const positive = fn === "log" || fn === "sqrt" ? 0 : undefined;
      const x = plain("x", [count]);
      const graph = singleNode({ op: "map", attrs: { fn, a: 0.3, b: 0.7 } }, [x], [plain("y", [count])]);
      const data = Float32Array.from({ length: count }, (_, k) => Math.sin(k * 13.7 + i) * 9);
      expectConformance(graph, [positive === undefined ? data : data.map(Math.abs)]);
    }
  });

  it.each(["exp", "tanh", "sigmoid", "erf", "gelu", "softplus", "clip", "round", "hardSwish", "elu"] as const)(
    "%s at the edges of float32",
    (fn) => {
      const edges = ["gelu", "hardSwish"].includes(fn) ? EDGES.filter(Number.isFinite) : EDGES;
      const graph = singleNode(
        { op: "map", attrs: { fn, a: 0.5, b: 2 } },
        [plain("x", [edges.length])],
        [plain("y", [edges.length])],
      );
      expectConformance(graph, [edges]);
    },
  );

  it.each([
    ["exp", Math.exp],
    ["tanh", Math.tanh],
    ["sin", Math.sin],
    ["cos", Math.cos],
    ["atan", Math.atan],
    ["sigmoid", (x: number) => 1 / (1 + Math.exp(-x))],
    ["softplus", (x: number) => Math.log1p(Math.exp(x))],
  ] as const)("%s is the true function to one unit in the last place", (fn, truth) => {
    for (let x = -20; x <= 20; x += 0.0371) {
      const real = truth(Math.fround(x));
      const got = mapFloat(MAP_CODES[fn], Math.fround(x), 0, 0);
      expect(Math.abs(got - real)).toBeLessThanOrEqual(Math.abs(real) * 2 ** -23 + 1e-12);
    }
  });

  it("converts between float32 and int32", () => {
    const x = Float32Array.of(0, 1.9, -1.9, 3e9, -3e9, 2147483647, 5);
    const shape = [x.length];
    for (const fn of ["toInt", "isInf", "isNan"] as const) {
      expectConformance(
        singleNode({ op: "map", attrs: { fn, a: 0, b: 0 } }, [plain("x", shape)], [plain("y", shape, "int32")]),
        [x],
      );
    }
    for (const fn of ["neg", "abs", "not", "bitNot", "wrap", "clip"] as const) {
      conforms({ op: "map", attrs: { fn, a: 1, b: 5 } }, [plain("x", [9], "int32")], [plain("y", [9], "int32")], 5);
    }
    conforms({ op: "map", attrs: { fn: "fromInt", a: 0, b: 0 } }, [plain("x", [9], "int32")], [plain("y", [9])], 5);
  });

  it("is a table between int8 tensors", () => {
    const x = activation("x", [256], 0.05, -3);
    const all = Int8Array.from({ length: 256 }, (_, i) => i - 128);
    expectConformance(
      singleNode({ op: "map", attrs: { fn: "gelu", a: 0, b: 0 } }, [x], [activation("y", [256], 0.04, 9)]),
      [all],
    );
  });
});
