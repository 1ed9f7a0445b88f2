// Functions of one value: relu, relu6, leakyRelu, logistic, tanh, hardSwish, scale.

import { elementCount } from "../../graph/graph.ts";
import type { Value } from "../trace.ts";

interface Unary {
  readonly kernel: string;
  /** what the slope is made of */
  readonly keeps: "input" | "output";
  readonly real: (x: number) => number;
  readonly constant?: number;
}

function unary(
  op: string,
  x: Value,
  { kernel, keeps, real, constant }: Unary,
  attrs: Record<string, unknown> = {},
): Value {
  const n = elementCount(x.shape);
  const rest = constant === undefined ? [] : [constant];
  return x.trace.node(
    op,
    [x],
    x.shape,
    {
      forward(emit, [x], y) {
        emit.call(kernel, x!, y, n, ...rest);
        return undefined;
      },
      backward(emit, { inputs: [x], output, dOutput, write }) {
        const kept = keeps === "input" ? x! : output;
        write(0, (dx) => emit.call(`${kernel}Backward`, kept, dOutput, dx, n, ...rest));
      },
      reference: ([x]) => x!.map(real),
    },
    attrs,
  );
}

export const relu = (x: Value): Value =>
  unary("relu", x, { kernel: "relu", keeps: "output", real: (v) => Math.max(v, 0) });

export const relu6 = (x: Value): Value =>
  unary("relu6", x, { kernel: "relu6", keeps: "output", real: (v) => Math.min(Math.max(v, 0), 6) });

export const leakyRelu = (x: Value, alpha = 0.01): Value =>
  unary(
    "leakyRelu",
    x,
    { kernel: "leakyRelu", keeps: "input", real: (v) => (v < 0 ? alpha * v : v), constant: alpha },
    { alpha },
  );

export const logistic = (x: Value): Value =>
  unary("logistic", x, { kernel: "logistic", keeps: "output", real: (v) => 1 / (1 + Math.exp(-v)) });

export const tanh = (x: Value): Value => unary("tanh", x, { kernel: "tanh", keeps: "output", real: Math.tanh });

export const hardSwish = (x: Value): Value =>
  unary("hardSwish", x, {
    kernel: "hardSwish",
    keeps: "input",
    real: (v) => (v * Math.min(Math.max(v + 3, 0), 6)) / 6,
  });

/** x · factor */
export function scale(x: Value, factor: number): Value {
  const n = elementCount(x.shape);
  return x.trace.node(
    "scale",
    [x],
    x.shape,
    {
      forward(emit, [x], y) {
        emit.call("scale", x!, y, n, factor);
        return undefined;
      },
      backward(emit, { dOutput, write }) {
        write(0, (dx) => emit.call("scale", dOutput, dx, n, factor));
      },
      reference: ([x]) => x!.map((v) => v * factor),
    },
    { factor },
  );
}
