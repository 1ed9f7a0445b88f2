// Digits by depthwise-separable convolutions with batch norm: the shape of a MobileNet, tiny.
import {
  adamw,
  batchNorm,
  conv2d,
  cosine,
  defineRecipe,
  dense,
  depthwiseConv2d,
  globalAveragePool,
  imageAugment,
  type Layer,
  sequential,
  warmUp,
} from "../../tools/train/index.ts";
import { digits, GREY } from "./data.ts";

const separable = (filters: number, stride: number): Layer =>
  sequential(
    depthwiseConv2d(3, { stride, bias: false }),
    batchNorm({ activation: "relu" }),
    conv2d(filters, 1, { bias: false }),
    batchNorm({ activation: "relu" }),
  );

export default defineRecipe({
  name: "mnist-depthwise",
  description: "Handwritten digits by depthwise-separable convolutions with batch norm.",
  data: digits,
  net: () =>
    sequential(
      conv2d(16, 3, { stride: 2, bias: false }),
      batchNorm({ activation: "relu" }),
      separable(32, 1),
      separable(64, 2),
      separable(64, 1),
      globalAveragePool(),
      dense(10),
    ),
  batch: 64,
  epochs: 20,
  optimizer: adamw(),
  schedule: warmUp(100, cosine(4e-3)),
  augment: imageAugment({ rotate: 12, stretch: 0.12, slant: 0.15, shift: 2 }),
  meaning: GREY,
});
