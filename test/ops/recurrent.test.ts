// What gru, lstm and rnn promise together: one step at a time is the whole sequence, hostile plans stay inside,
// wrong tensors are refused, and the integers follow the float layer.

import { describe, expect, it } from "vitest";
import { evaluateAll } from "../../tools/evaluate/reference.ts";
import type { Graph, Tensor } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { gateValue } from "../../tools/ops/gateTables.ts";
import { BUILDS, expectConformance } from "../support/conformance.ts";
import { expectContained } from "../support/hostileSteps.ts";
import { Random } from "../support/random.ts";
import { type RecurrentCase, recurrentGraph } from "../support/recurrentCases.ts";

const plain: RecurrentCase = {
  batch: 2,
  time: 5,
  features: 7,
  units: 11,
  direction: "forward",
  timeMajor: false,
  wide: true,
  yWide: false,
  cellWide: true,
  cellBits: 11,
  starts: true,
  biases: true,
  resetAfter: true,
  cellClip: 0,
  seed: 3,
};

const NAMES = ["gru", "lstm", "rnn"] as const;

describe.each(NAMES)("%s", (op) => {
  it("gives the same bytes one step at a time", () => {
    const whole = recurrentGraph(op, { ...plain, batch: 1 });
    const single = recurrentGraph(op, { ...plain, batch: 1, time: 1 });
    // the same weights: only x and the first state differ
    const tensors = single.graph.tensors.map((tensor, id): Tensor => {
      const same = whole.graph.tensors[id]!;
      return { ...tensor, ...(same.data && { data: same.data }), ...(same.quant && { quant: same.quant }) };
    });
    const graph: Graph = { ...single.graph, tensors };
    const expected = expectConformance(whole.graph, whole.inputs);
    let state = whole.inputs.slice(1);
    const ys: number[] = [];
    for (let t = 0; t < plain.time; t++) {
      const x = whole.inputs[0]!.slice(t * plain.features, (t + 1) * plain.features);
      const [y, ...last] = expectConformance(graph, [x, ...state]) as Int8Array[];
      ys.push(...y!);
      state = last;
    }
    expect(ys).toEqual([...(expected[0] as Int8Array)]);
    expect(state).toEqual(expected.slice(1));
  });

  it.each([
    ["int16 state", plain],
    ["int8 state, both directions", { ...plain, wide: false, direction: "bidirectional", cellWide: false }],
    ["reset before", { ...plain, resetAfter: false, yWide: true }],
  ] as const)("stays inside the arena or is refused: %s", (_, c) => {
    for (const build of BUILDS) {
      const accepted = expectContained(build, recurrentGraph(op, c).graph, 3000, 42);
      expect(accepted).toBeGreaterThan(40);
      expect(accepted).toBeLessThan(2900);
    }
  });

  it("runs one unit on one feature, and long rows", () => {
    for (const shape of [
      { units: 1, features: 1, time: 1, batch: 1 },
      { units: 130, features: 67 },
      { units: 64, features: 64 },
    ]) {
      const { graph, inputs } = recurrentGraph(op, { ...plain, ...shape });
      expectConformance(graph, inputs);
    }
  });
});

/** `graph` with tensor `name` changed. */
function changed(graph: Graph, name: string, change: Partial<Tensor>): Graph {
  return {
    ...graph,
    tensors: graph.tensors.map((tensor) => (tensor.name === name ? { ...tensor, ...change } : tensor)),
  };
}

describe("the recurrent operators refuse", () => {
  const { graph } = recurrentGraph("lstm", plain);
  const scale = (value: number, zero = 0) => ({
    quant: { scale: Float32Array.of(value), zeroPoint: Int32Array.of(zero), axis: 0 },
  });

  it.each([
    ["r0", { shape: [11, 44] }, /need 1 or 176 scales/],
    [
      "w0",
      { quant: { ...graph.tensors[2]!.quant!, zeroPoint: new Int32Array(44).fill(1) } },
      /with zero point 0 but .* with another/,
    ],
    ["last0", scale(0.01), /int16 of scale 0.00\d+ and zero point 0 but it must have scale 2\^-15/],
    ["lastCell0", scale(0.3), /scale must be a power of two/],
    ["h0", { dtype: "int8" as const }, /first state "h0" and the last one "last0" must have one type/],
    ["x", { dtype: "int16" as const }, /takes int8/],
  ])("a wrong %s", (name, change, message) => {
    expect(() => validateGraph(changed(graph, name, change))).toThrow(message);
  });

  it("one state of two", () => {
    const [node] = graph.nodes;
    const inputs = node!.inputs.map((id) => (graph.tensors[id]?.name === "c0" ? -1 : id));
    expect(() => validateGraph({ ...graph, nodes: [{ ...node!, inputs } as never] })).toThrow(/both or neither/);
  });
});

describe("a gate", () => {
  it("is the function of its input, to 1 of 32768", () => {
    for (let x = -32768; x < 32768; x += 7) {
      const real = x / 4096;
      expect(Math.abs(gateValue("sigmoid", x) - 32768 / (1 + Math.exp(-real)))).toBeLessThan(1.5);
      expect(Math.abs(gateValue("tanh", x) - Math.min(32767, 32768 * Math.tanh(real)))).toBeLessThan(4.5);
    }
  });
});

describe("the integers follow the float layer", () => {
  const random = new Random(9);
  const [time, features, units] = [40, 12, 24];
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

  it.each([true, false])("gru, resetAfter %s, over forty steps", (resetAfter) => {
    const c = { ...plain, batch: 1, time, features, units, starts: false, biases: false, resetAfter, yWide: true };
    const { graph } = recurrentGraph("gru", c);
    const x = Int8Array.from({ length: time * features }, () => random.integer(-128, 127));
    const tensor = (name: string): Tensor => graph.tensors.find((one) => one.name === name)!;
    const real = (one: Tensor, data: ArrayLike<number>): number[] =>
      Array.from(data, (q) => (q - one.quant!.zeroPoint[0]!) * one.quant!.scale[0]!);
    const [w, r] = ["w0", "r0"].map((name) => real(tensor(name), tensor(name).data as Int8Array));
    const input = real(tensor("x"), x);
    const got = evaluateAll(graph, [x])[graph.outputs[0]!] as Int16Array;
    const dot = (weights: number[], n: number, values: number[]): number =>
      values.reduce((sum, value, k) => sum + value * weights[n * values.length + k]!, 0);
    let h = new Array<number>(units).fill(0);
    let worst = 0;
    for (let t = 0; t < time; t++) {
      const xt = input.slice(t * features, (t + 1) * features);
      const z = h.map((_, u) => sigmoid(dot(w!, u, xt) + dot(r!, u, h)));
      const reset = h.map((_, u) => sigmoid(dot(w!, units + u, xt) + dot(r!, units + u, h)));
      const rh = h.map((value, u) => value * reset[u]!);
      const n = h.map((_, u) => {
        const row = 2 * units + u;
        const fromH = resetAfter ? reset[u]! * dot(r!, row, h) : dot(r!, row, rh);
        return Math.tanh(dot(w!, row, xt) + fromH);
      });
      h = h.map((value, u) => z[u]! * value + (1 - z[u]!) * n[u]!);
      for (const [u, value] of h.entries()) worst = Math.max(worst, Math.abs(value - got[t * units + u]! / 32768));
    }
    // Q3.12 gates are within 2^-12, and the layer forgets
    expect(worst).toBeLessThan(0.004);
  });
});
