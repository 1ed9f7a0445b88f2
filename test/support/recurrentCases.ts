// Random recurrent layers for the property tests of gru, lstm and rnn, and graphs of them.
// Invariant: weights are scaled so that gates move over their whole range, and the state does.

import fc from "fast-check";
import type { Graph, Node, Tensor } from "../../tools/graph/graph.ts";
import { activation, constant, quant } from "./graphs.ts";
import { Random } from "./random.ts";

export interface RecurrentCase {
  readonly batch: number;
  readonly time: number;
  readonly features: number;
  readonly units: number;
  readonly direction: "forward" | "reverse" | "bidirectional";
  readonly timeMajor: boolean;
  readonly wide: boolean;
  readonly yWide: boolean;
  readonly cellWide: boolean;
  readonly cellBits: number;
  readonly starts: boolean;
  readonly biases: boolean;
  readonly resetAfter: boolean;
  readonly cellClip: number;
  readonly seed: number;
}

export const recurrentCases = fc.record<RecurrentCase>({
  batch: fc.integer({ min: 1, max: 3 }),
  time: fc.integer({ min: 1, max: 6 }),
  features: fc.integer({ min: 1, max: 20 }),
  units: fc.integer({ min: 1, max: 37 }),
  direction: fc.constantFrom("forward", "reverse", "bidirectional"),
  timeMajor: fc.boolean(),
  wide: fc.boolean(),
  yWide: fc.boolean(),
  cellWide: fc.boolean(),
  cellBits: fc.integer({ min: 0, max: 15 }),
  starts: fc.boolean(),
  biases: fc.boolean(),
  resetAfter: fc.boolean(),
  cellClip: fc.constantFrom(0, 0, 0.7, 3),
  seed: fc.integer(),
});

export function recurrentGraph(op: "gru" | "lstm" | "rnn", c: RecurrentCase) {
  const random = new Random(c.seed);
  const gates = { rnn: 1, gru: 3, lstm: 4 }[op];
  const tensors: Tensor[] = [];
  const inputs: number[] = [];
  const data: (Int8Array | Int16Array)[] = [];
  const add = (tensor: Tensor): number => tensors.push(tensor) - 1;
  const held = (name: string, wide: boolean, scale: number, zero: number): Tensor =>
    activation(name, [c.batch, c.units], scale, zero, wide ? "int16" : "int8");
  const feed = (tensor: Tensor): number => {
    const id = add(tensor);
    inputs.push(id);
    const count = tensor.shape.reduce((a, b) => a * b, 1);
    data.push(tensor.dtype === "int8" ? random.int8(count) : Int16Array.from({ length: count }, () => random.word()));
    return id;
  };
  const [first, second] = c.timeMajor ? [c.time, c.batch] : [c.batch, c.time];
  const inputZero = random.integer(-128, 127);
  const x = feed(activation("x", [first, second, c.features], random.real(0.002, 0.05), inputZero));
  const hiddenZero = c.wide ? 0 : random.integer(-20, 20);
  const hiddenScale = c.wide ? 2 ** -15 : random.real(0.006, 0.01);
  const cellScale = 2 ** -(c.cellBits - (c.cellWide ? 0 : 8));
  const nodeInputs = [x];
  const outputs: number[] = [];
  const directions = c.direction === "bidirectional" ? 2 : 1;
  const y = add(
    c.yWide
      ? activation("y", [first, second, directions * c.units], 2 ** -15, 0, "int16")
      : activation("y", [first, second, directions * c.units], random.real(0.006, 0.01), random.integer(-20, 20)),
  );
  for (let d = 0; d < directions; d++) {
    const weights = (name: string, cells: number): number => {
      const count = gates * c.units;
      const scales = Array.from({ length: count }, () => random.real(0.5, 3) / 127 / Math.sqrt(cells));
      return add(
        constant(name, [count, cells], "int8", random.int8(count * cells), quant(c.biases ? scales : scales[0]!)),
      );
    };
    const bias = (name: string): number => {
      if (!c.biases) return -1;
      const values = Int32Array.from({ length: gates * c.units }, () => random.integer(-3000, 3000));
      return add(constant(name, [values.length], "int32", values));
    };
    nodeInputs.push(weights(`w${d}`, c.features), weights(`r${d}`, c.units), bias(`bw${d}`), bias(`br${d}`));
    nodeInputs.push(c.starts ? feed(held(`h${d}`, c.wide, hiddenScale, hiddenZero)) : -1);
    outputs.push(add(held(`last${d}`, c.wide, hiddenScale, hiddenZero)));
    if (op !== "lstm") continue;
    nodeInputs.push(c.starts ? feed(held(`c${d}`, c.cellWide, cellScale, 0)) : -1);
    outputs.push(add(held(`lastCell${d}`, c.cellWide, cellScale, 0)));
  }
  const { direction, timeMajor, resetAfter, cellClip } = c;
  const attrs = { direction, timeMajor, ...(op === "gru" && { resetAfter }), ...(op === "lstm" && { cellClip }) };
  const node = { op, name: op, inputs: nodeInputs, outputs: [y, ...outputs], attrs } as Node;
  const graph: Graph = { name: op, tensors, nodes: [node], inputs, outputs: [y, ...outputs] };
  return { graph, inputs: data };
}
