// FULLY_CONNECTED. Invariant: x has rows of exactly the weights' input size.

import { elementCount } from "../../../graph/graph.ts";
import { BuiltinOptions, FullyConnectedOptions, FullyConnectedOptionsWeightsFormat } from "../generated/tflite.ts";
import type { OperatorContext } from "../operator.ts";
import { bias, weights } from "../weights.ts";
import { fusedActivation } from "../window.ts";

export function fullyConnected(op: OperatorContext): void {
  const options = op.options(BuiltinOptions.FullyConnectedOptions, new FullyConnectedOptions());
  const x = op.activation(0);
  const y = op.output(0, x.tensor);
  if (options.weightsFormat() !== FullyConnectedOptionsWeightsFormat.DEFAULT) {
    throw op.unsupported(
      "has shuffled weights, expected the default format",
      "convert the model again for all devices",
    );
  }
  const w = weights(op, 1, 0, x.tensor);
  op.rank(w, 2, "weights");
  const [outC = 0, inC = 0] = w.tensor.shape;
  const shape = x.tensor.shape;
  const count = elementCount(shape);
  const keeps = options.keepNumDims();
  if (keeps ? shape.at(-1) !== inC : count % inC !== 0) {
    throw op.contradiction(`has input of shape [${shape}], expected rows of ${inC}`);
  }
  op.expectShape(y, keeps ? [...shape.slice(0, -1), outC] : [count / inC, outC]);
  const activation = fusedActivation(op, options.fusedActivationFunction());
  const b = bias(op, 2, outC, x.tensor, w.tensor, y.tensor);
  op.emitWithBias("fullyConnected", x, w, b, y, { activation });
}
