// How a model does on labelled samples. Invariant: the model is what `run` stands for, asked once for each sample; every figure
// comes from its outputs.

import { elementCount } from "../graph/graph.ts";
import { accuracy, confusion, predictions, topK } from "../train/metrics.ts";
import type { Samples } from "../train/samples.ts";

export interface Evaluation {
  readonly samples: number;
  readonly accuracy: number;
  /** part of the samples whose label is among the best k */
  readonly top: readonly { readonly k: number; readonly share: number }[];
  /** [label][prediction] */
  readonly confusion: readonly (readonly number[])[];
  readonly predictions: Int32Array;
}

/** `run`: real values in, `classes` scores out. `progress` is told the samples done. */
export function evaluateClassifier(
  run: (x: Float32Array) => ArrayLike<number>,
  { x, y, count, shape }: Samples,
  classes: number,
  progress: (done: number) => void = () => undefined,
): Evaluation {
  const size = elementCount(shape);
  const scores = new Float32Array(count * classes);
  for (let i = 0; i < count; i++) {
    scores.set(run(x.slice(i * size, (i + 1) * size)), i * classes);
    progress(i + 1);
  }
  return {
    samples: count,
    accuracy: accuracy(scores, y, classes),
    top: [2, 3, 5].filter((k) => k < classes).map((k) => ({ k, share: topK(scores, y, classes, k) })),
    confusion: confusion(scores, y, classes),
    predictions: predictions(scores, classes),
  };
}
