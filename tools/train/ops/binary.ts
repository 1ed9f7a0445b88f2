// a + b, a − b and a·b; b has a's shape or its last axes, and is then repeated over the others.

import { elementCount } from "../../graph/graph.ts";
import { expectShape, type Value } from "../trace.ts";

function sizes(op: string, a: Value, b: Value): readonly [rows: number, n: number] {
  const suffix = a.shape.slice(a.shape.length - b.shape.length);
  expectShape(
    b.shape.length <= a.shape.length && suffix.join() === b.shape.join(),
    op,
    `[${b.shape}] is not the last axes of [${a.shape}].`,
  );
  const n = elementCount(b.shape);
  return [elementCount(a.shape) / n, n];
}

/** a ± b */
function sum(op: "add" | "sub", a: Value, b: Value): Value {
  const [rows, n] = sizes(op, a, b);
  const sign = op === "add" ? 1 : -1;
  return a.trace.node(op, [a, b], a.shape, {
    forward(emit, [a, b], y) {
      emit.call(op, a!, b!, y, rows, n);
      return undefined;
    },
    backward(emit, { dOutput, pass, write }) {
      pass(0, dOutput);
      if (rows === 1 && sign === 1) pass(1, dOutput);
      else {
        write(1, (db) => {
          const total = sign === 1 ? db : emit.buffer(n);
          emit.call("sumRows", dOutput, 0, total, rows, n);
          if (sign < 0) emit.call("scale", total, db, n, -1);
        });
      }
    },
    reference: ([a, b]) => a!.map((v, i) => v + sign * b![i % n]!),
  });
}

export const add = (a: Value, b: Value): Value => sum("add", a, b);
export const sub = (a: Value, b: Value): Value => sum("sub", a, b);

export function mul(a: Value, b: Value): Value {
  const [rows, n] = sizes("mul", a, b);
  return a.trace.node("mul", [a, b], a.shape, {
    forward(emit, [a, b], y) {
      emit.call("mul", a!, b!, y, rows, n);
      return undefined;
    },
    backward(emit, { inputs: [a, b], dOutput, write }) {
      write(0, (da) => emit.call("mul", dOutput, b!, da, rows, n));
      write(1, (db) => emit.call("sumRows", dOutput, a!, db, rows, n));
    },
    reference: ([a, b]) => a!.map((v, i) => v * b![i % n]!),
  });
}
