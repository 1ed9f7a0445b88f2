// Batch normalization over all axes but the last (Ioffe & Szegedy, 2015): batch statistics in training, running
// ones in inference. Gamma, beta, mean and variance are [C].

import { elementCount } from "../../graph/graph.ts";
import type { Value } from "../trace.ts";

export interface BatchNormOptions {
  readonly epsilon?: number;
  /** share of the batch's statistics that goes into the running ones at each step */
  readonly momentum?: number;
}

export function batchNorm(
  x: Value,
  gamma: Value,
  beta: Value,
  runningMean: Value,
  runningVariance: Value,
  { epsilon = 1e-5, momentum = 0.1 }: BatchNormOptions = {},
): Value {
  const n = x.shape.at(-1)!;
  const rows = elementCount(x.shape) / n;
  const inputs = [x, gamma, beta, runningMean, runningVariance];
  const attrs = { epsilon, momentum };
  if (x.trace.mode === "infer") {
    return x.trace.node(
      "batchNorm",
      inputs,
      x.shape,
      {
        forward(emit, [x, gamma, beta, mean, variance], y) {
          emit.call("batchNormInference", x!, gamma!, beta!, mean!, variance!, y, emit.buffer(2 * n), rows, n, epsilon);
          return undefined;
        },
        reference: ([x, gamma, beta, mean, variance]) =>
          x!.map((v, i) => {
            const c = i % n;
            return (gamma![c]! * (v - mean![c]!)) / Math.sqrt(variance![c]! + epsilon) + beta![c]!;
          }),
      },
      attrs,
    );
  }
  return x.trace.node(
    "batchNorm",
    inputs,
    x.shape,
    {
      forward(emit, [x, gamma, beta, mean, variance], y) {
        const normalized = emit.buffer(rows * n);
        const inverse = emit.buffer(n);
        emit.call(
          "batchNorm",
          x!,
          gamma!,
          beta!,
          y,
          normalized,
          inverse,
          mean!,
          variance!,
          emit.buffer(2 * n),
          rows,
          n,
          epsilon,
          momentum,
        );
        return [normalized, inverse];
      },
      backward(emit, { inputs: [, gamma], saved: [normalized, inverse], dOutput, needs, write }) {
        // one kernel makes all three; where gamma or beta want none, theirs go to scratch
        let dGamma = emit.buffer(n);
        let dBeta = emit.buffer(n);
        write(1, (place) => {
          dGamma = place;
        });
        write(2, (place) => {
          dBeta = place;
        });
        const call = (dx: typeof dGamma | 0): void =>
          emit.call("batchNormBackward", normalized!, inverse!, gamma!, dOutput, dx, dGamma, dBeta, rows, n);
        if (needs(0)) write(0, call);
        else call(0);
      },
      reference([x, gamma, beta]) {
        const y = new Float64Array(rows * n);
        for (let c = 0; c < n; c++) {
          let mean = 0;
          let variance = 0;
          for (let r = 0; r < rows; r++) mean += x![r * n + c]! / rows;
          for (let r = 0; r < rows; r++) variance += (x![r * n + c]! - mean) ** 2 / rows;
          for (let r = 0; r < rows; r++) {
            y[r * n + c] = (gamma![c]! * (x![r * n + c]! - mean)) / Math.sqrt(variance + epsilon) + beta![c]!;
          }
        }
        return y;
      },
    },
    attrs,
  );
}
