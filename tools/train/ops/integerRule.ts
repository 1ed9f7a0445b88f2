// The integer rule of the runtime as operators of a trace: weights, biases, activations as codes (whole numbers minus the
// zero point, held in float32), with straight-through gradients and learned scales (Esser et al., "Learned Step Size
// Quantization", 2020). Invariant: forward equals tools/ops bit for bit as long as sums stay below 2^24.

import { elementCount } from "../../graph/graph.ts";
import { roundEven } from "../../ops/quantization.ts";
import type { Value } from "../trace.ts";

/** What codes the weights of a layer may take. */
export interface CodeRule {
  /** 256 codes, of −128 … 127 steps of 1 / finer scales */
  readonly table: Float32Array;
  /** steps a scale */
  readonly finer: number;
  /** weights learn within these, in scales */
  readonly range: readonly [low: number, high: number];
  /** the scale learns of weights within these, in scales */
  readonly steps: readonly [low: number, high: number];
}

const clamp = (v: number, low: number, high: number): number => Math.min(high, Math.max(low, v));

/** Codes of `weights`; scale [channels], channel of weight i: floor(i / inner) modulo channels; `table` a Value of rule.table. */
export function weightCodes(weights: Value, scale: Value, table: Value, rule: CodeRule, inner: number): Value {
  const n = elementCount(weights.shape);
  const channels = elementCount(scale.shape);
  const { finer, range, steps } = rule;
  return weights.trace.node("weightCodes", [weights, scale, table], weights.shape, {
    forward(emit, [w, s, t], codes) {
      emit.call("weightCodes", w!, s!, t!, codes, n, channels, inner, finer);
      return undefined;
    },
    backward(emit, { inputs: [w, s], dOutput, needs, write }) {
      const both = (dw: Parameters<Parameters<typeof write>[1]>[0], ds: typeof dw): void =>
        emit.call("weightCodesBackward", w!, s!, dOutput, dw, ds, n, channels, inner, ...range, ...steps);
      const dScale = emit.buffer(channels);
      if (needs(0)) write(0, (dw) => both(dw, dScale));
      else both(emit.buffer(n), dScale);
      write(1, (ds) => emit.call("copy", dScale, ds, channels));
    },
    reference: ([w, s, t]) =>
      w!.map((v, i) => t![clamp(roundEven((v / s![Math.floor(i / inner) % channels]!) * finer), -128, 127) + 128]!),
  });
}

/** rne(b / (sx · sw[c])) */
export function biasCodes(bias: Value, sx: Value, sw: Value): Value {
  const n = elementCount(bias.shape);
  return bias.trace.node("biasCodes", [bias, sx, sw], bias.shape, {
    forward(emit, [b, x, w], codes) {
      emit.call("biasCodes", b!, x!, w!, codes, n);
      return undefined;
    },
    backward(emit, { inputs: [b, x, w], dOutput, write }) {
      const [db, dx, dw] = [emit.buffer(n), emit.buffer(1), emit.buffer(n)];
      emit.call("biasCodesBackward", b!, x!, w!, dOutput, db, dx, dw, n);
      write(0, (to) => emit.call("copy", db, to, n));
      write(1, (to) => emit.call("copy", dx, to, 1));
      write(2, (to) => emit.call("copy", dw, to, n));
    },
    reference: ([b, x, w]) => b!.map((v, c) => roundEven(v / (x![0]! * w![c]!))),
  });
}

export interface RequantizeBounds {
  /** codes */
  readonly low: number;
  readonly high: number;
  /** real value above which an activation cuts; Infinity: none */
  readonly ceiling: number;
}

/** clamp(rne(sums · sx · sw[c] / sy)) over rows of channels. */
export function requantizeRows(sums: Value, sx: Value, sw: Value, sy: Value, bounds: RequantizeBounds): Value {
  const { low, high, ceiling } = bounds;
  const channels = elementCount(sw.shape);
  const n = elementCount(sums.shape);
  const rows = n / channels;
  return sums.trace.node("requantize", [sums, sx, sw, sy], sums.shape, {
    forward(emit, [a, x, w, y], out) {
      emit.call("requantizeRows", a!, x!, w!, y!, out, rows, channels, low, high, ceiling);
      return undefined;
    },
    backward(emit, { inputs: [a, x, w, y], dOutput, write }) {
      const [dx, dw, dy, dm] = [emit.buffer(1), emit.buffer(channels), emit.buffer(1), emit.buffer(channels)];
      write(0, (da) =>
        emit.call(
          "requantizeRowsBackward",
          a!,
          x!,
          w!,
          y!,
          dOutput,
          da,
          dx,
          dw,
          dy,
          dm,
          rows,
          channels,
          low,
          high,
          ceiling,
        ),
      );
      write(1, (to) => emit.call("copy", dx, to, 1));
      write(2, (to) => emit.call("copy", dw, to, channels));
      write(3, (to) => emit.call("copy", dy, to, 1));
    },
    reference: ([a, x, w, y]) =>
      a!.map((sum, i) =>
        clamp(roundEven((sum * x![0]! * w![i % channels]!) / y![0]!), low, Math.min(high, roundEven(ceiling / y![0]!))),
      ),
  });
}

/** clamp(rne(x / scale)): the host's edge; no gradient passes. */
export function quantizeReals(x: Value, scale: Value, low: number, high: number): Value {
  const n = elementCount(x.shape);
  return x.trace.node("quantizeReals", [x, scale], x.shape, {
    forward(emit, [x, s], y) {
      emit.call("quantizeReals", x!, s!, y, n, low, high);
      return undefined;
    },
    reference: ([x, s]) => x!.map((v) => clamp(roundEven(v / s![0]!), low, high)),
  });
}
