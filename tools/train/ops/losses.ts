// Losses: each gives one number, the mean over rows or elements.

import { elementCount } from "../../graph/graph.ts";
import { expectShape, type Value } from "../trace.ts";
import { scale } from "./activation.ts";
import { add } from "./binary.ts";
import { softmax, softmaxRows } from "./softmax.ts";

/** Rows of 1 at the label (int32 [N]) and 0 elsewhere, smoothed: smoothing/classes everywhere, the rest at the label. */
export function oneHot(labels: Value, classes: number, smoothing = 0): Value {
  const rows = elementCount(labels.shape);
  expectShape(labels.dtype === "int32", "oneHot", `labels must be int32 but "${labels.name}" is ${labels.dtype}.`);
  return labels.trace.node("oneHot", [labels], [...labels.shape, classes], {
    forward(emit, [labels], y) {
      emit.call("oneHot", labels!, y, rows, classes, smoothing);
      return undefined;
    },
    reference([labels]) {
      const y = new Float64Array(rows * classes).fill(smoothing / classes);
      labels!.forEach((label, r) => {
        y[r * classes + label]! += 1 - smoothing;
      });
      return y;
    },
  });
}

/** −mean over rows of Σ target·log softmax(logits); `targets` are labels (int32) or rows of shares. */
export function crossEntropy(logits: Value, targets: Value, { smoothing = 0 } = {}): Value {
  const n = logits.shape.at(-1)!;
  const rows = elementCount(logits.shape) / n;
  const shares = targets.dtype === "int32" ? oneHot(targets, n, smoothing) : targets;
  expectShape(
    elementCount(shares.shape) === rows * n,
    "crossEntropy",
    `targets [${targets.shape}] do not fit logits [${logits.shape}].`,
  );
  return logits.trace.node("crossEntropy", [logits, shares], [1], {
    forward(emit, [logits, targets], loss) {
      const probabilities = emit.buffer(rows * n);
      emit.call("crossEntropy", logits!, targets!, probabilities, loss, rows, n);
      return [probabilities];
    },
    backward(emit, { inputs: [, targets], saved: [probabilities], dOutput, write }) {
      write(0, (dx) => emit.call("crossEntropyBackward", probabilities!, targets!, dOutput, dx, rows, n));
    },
    reference([logits, targets]) {
      const p = softmaxRows(logits!, n);
      return Float64Array.of(targets!.reduce((sum, t, i) => (t === 0 ? sum : sum - t * Math.log(p[i]!)), 0) / rows);
    },
  });
}

function elementLoss(
  op: string,
  kernel: string,
  x: Value,
  target: Value,
  real: (x: number, t: number) => number,
): Value {
  const n = elementCount(x.shape);
  expectShape(elementCount(target.shape) === n, op, `the target [${target.shape}] does not fit [${x.shape}].`);
  return x.trace.node(op, [x, target], [1], {
    forward(emit, [x, t], loss) {
      emit.call(kernel, x!, t!, loss, n);
      return undefined;
    },
    backward(emit, { inputs: [x, t], dOutput, write }) {
      write(0, (dx) => emit.call(`${kernel}Backward`, x!, t!, dOutput, dx, n));
    },
    reference: ([x, t]) => Float64Array.of(x!.reduce((sum, v, i) => sum + real(v, t![i]!), 0) / n),
  });
}

/** mean (x − target)² */
export const meanSquaredError = (x: Value, target: Value): Value =>
  elementLoss("meanSquaredError", "meanSquares", x, target, (v, t) => (v - t) ** 2);

/** Cross-entropy of logistic(x) against targets in 0 … 1; x are logits. */
export const binaryCrossEntropy = (x: Value, target: Value): Value =>
  elementLoss(
    "binaryCrossEntropy",
    "binaryCrossEntropy",
    x,
    target,
    (v, t) => Math.max(v, 0) - v * t + Math.log1p(Math.exp(-Math.abs(v))),
  );

/**
 * Knowledge distillation (Hinton, Vinyals & Dean, 2015): weight · T² · CE(student/T, softmax(teacher/T)) +
 * (1 − weight) · CE(student, labels).
 */
export function distillation(
  student: Value,
  teacher: Value,
  labels: Value,
  { temperature = 4, weight = 0.9 } = {},
): Value {
  const soft = softmax(scale(teacher, 1 / temperature));
  const softLoss = crossEntropy(scale(student, 1 / temperature), soft);
  return add(scale(softLoss, weight * temperature ** 2), scale(crossEntropy(student, labels), 1 - weight));
}
