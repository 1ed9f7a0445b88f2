// Reshape, transpose and dropout: elements change places or are left out.

import { elementCount } from "../../graph/graph.ts";
import type { Place } from "../emitter.ts";
import { type Emit, expectShape, type Value } from "../trace.ts";

export function reshape(x: Value, shape: readonly number[]): Value {
  expectShape(elementCount(shape) === elementCount(x.shape), "reshape", `[${x.shape}] cannot become [${shape}].`);
  return x.trace.node("reshape", [x], shape, { isAlias: true, reference: ([x]) => x! }, { shape });
}

/** [N, …] → [N, the rest] */
export const flatten = (x: Value): Value => reshape(x, [x.shape[0]!, elementCount(x.shape.slice(1))]);

const stridesOf = (shape: readonly number[]): number[] => shape.map((_, i) => elementCount(shape.slice(i + 1)));

function emitPermute(
  emit: Emit,
  from: Place,
  to: Place,
  shape: readonly number[],
  permutation: readonly number[],
): void {
  const missing = 4 - shape.length;
  const dims = permutation.map((axis) => shape[axis]!);
  const strides = permutation.map((axis) => stridesOf(shape)[axis]!);
  emit.call(
    "permute",
    from,
    to,
    ...Array<number>(missing).fill(1),
    ...dims,
    ...Array<number>(missing).fill(0),
    ...strides,
  );
}

/** Axis i of the output is axis permutation[i] of x; up to four axes. */
export function transpose(x: Value, permutation: readonly number[]): Value {
  const rank = x.shape.length;
  const isPermutation =
    permutation.length === rank && new Set(permutation).size === rank && Math.max(...permutation) < rank;
  expectShape(
    rank <= 4 && isPermutation,
    "transpose",
    `[${permutation}] is no permutation of the axes of [${x.shape}] (at most four).`,
  );
  const shape = permutation.map((axis) => x.shape[axis]!);
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
  return x.trace.node(
    "transpose",
    [x],
    shape,
    {
      forward(emit, [from], y) {
        emitPermute(emit, from!, y, x.shape, permutation);
        return undefined;
      },
      backward(emit, { dOutput, write }) {
        write(0, (dx) => emitPermute(emit, dOutput, dx, shape, inverse));
      },
      reference([from]) {
        const strides = stridesOf(x.shape);
        const outStrides = stridesOf(shape);
        return from!.map((_, at) => {
          const index = outStrides.map((stride, i) => Math.floor(at / stride) % shape[i]!);
          return from![index.reduce((sum, position, i) => sum + position * strides[permutation[i]!]!, 0)]!;
        });
      },
    },
    { permutation },
  );
}

/** Zeroes each element with probability `rate` and scales up the others, in training only (Srivastava et al., 2014). */
export function dropout(x: Value, rate: number): Value {
  expectShape(rate >= 0 && rate < 1, "dropout", `the rate is ${rate} but must be at least 0 and below 1.`);
  if (x.trace.mode === "infer" || rate === 0) return x;
  const n = elementCount(x.shape);
  let salt = 0;
  return x.trace.node("dropout", [x], x.shape, {
    forward(emit, [x], y) {
      salt = emit.globals.salt();
      emit.call("dropout", x!, y, n, rate, emit.globals.seed, salt);
      return undefined;
    },
    backward(emit, { dOutput, write }) {
      write(0, (dx) => emit.call("dropout", dOutput, dx, n, rate, emit.globals.seed, salt));
    },
    reference() {
      throw new Error("dropout has no reference: it is random");
    },
  });
}
