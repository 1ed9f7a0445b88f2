// Initial values of weights. Invariant: values depend on the generator and the shape alone. The fan-in of a weight
// is the product of its axes but the first: dense [out, in], conv2d [out, kH, kW, in], depthwise [1, kH, kW, C].

import { elementCount } from "../graph/graph.ts";
import type { Initialiser } from "./trace.ts";

const fill = (shape: readonly number[], draw: () => number): Float32Array =>
  Float32Array.from({ length: elementCount(shape) }, draw);

export const zeros: Initialiser = (_random, shape) => new Float32Array(elementCount(shape));
export const ones: Initialiser = (_random, shape) => fill(shape, () => 1);

export const uniform =
  (limit: number): Initialiser =>
  (random, shape) =>
    fill(shape, () => random.between(-limit, limit));

export const normal =
  (deviation: number): Initialiser =>
  (random, shape) =>
    fill(shape, () => deviation * random.normal());

/** Variance 2 / fan-in (He et al., 2015): for layers before a ReLU. */
export const heUniform: Initialiser = (random, shape) =>
  uniform(Math.sqrt(6 / elementCount(shape.slice(1))))(random, shape);

/** Depthwise kernels see one channel only: fan-in kH·kW. */
export const heUniformDepthwise: Initialiser = (random, shape) =>
  uniform(Math.sqrt(6 / elementCount(shape.slice(1, -1))))(random, shape);

/** Variance 2 / (fan-in + fan-out) (Glorot & Bengio, 2010): for linear, tanh and logistic layers. */
export const glorotUniform: Initialiser = (random, shape) => {
  const around = elementCount(shape.slice(1));
  const fanOut = (around / shape.at(-1)!) * shape[0]!;
  return uniform(Math.sqrt(6 / (around + fanOut)))(random, shape);
};

/** Uniform in ±1/√units: PyTorch's choice for recurrent layers. */
export const recurrentUniform = (units: number): Initialiser => uniform(1 / Math.sqrt(units));
