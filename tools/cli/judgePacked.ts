// Runs a packed model on the core over test samples. Invariant: what is judged is the file's bytes, loaded as a user
// would, on the build of the core that a user gets.

import type { Model } from "../../host/targets/node.ts";
import { elementCount } from "../graph/graph.ts";
import { accuracy, predictions } from "../train/metrics.ts";
import type { Dataset } from "../train/samples.ts";

export interface Judged {
  readonly packedAccuracy: number | undefined;
  readonly agreement: number | undefined;
  readonly packedError: number | undefined;
}

/** `floatOutputs`: what the float net says about the same samples. */
export async function judgePacked(
  model: Model,
  { test, classes }: Dataset,
  floatOutputs: Float32Array,
): Promise<Judged> {
  const session = await model.createSession();
  const size = elementCount(test.shape);
  const [port] = model.outputs;
  const width = elementCount(port!.shape);
  const { scale = 1, zeroPoint = 0, dtype } = port!;
  const outputs = new Float32Array(test.count * width);
  for (let i = 0; i < test.count; i++) {
    const [values] = Object.values(session.run(test.x.slice(i * size, (i + 1) * size)));
    for (let j = 0; j < width; j++)
      outputs[i * width + j] = dtype === "float32" ? values![j]! : scale * (values![j]! - zeroPoint);
  }
  session.dispose();
  if (!classes) {
    const error = outputs.reduce((sum, value, i) => sum + (test.y[i]! - value) ** 2, 0) / outputs.length;
    return { packedAccuracy: undefined, agreement: undefined, packedError: error };
  }
  const [mine, its] = [predictions(outputs, width), predictions(floatOutputs, width)];
  const same = mine.reduce((count, label, i) => count + (label === its[i] ? 1 : 0), 0);
  return { packedAccuracy: accuracy(outputs, test.y, width), agreement: same / test.count, packedError: undefined };
}
