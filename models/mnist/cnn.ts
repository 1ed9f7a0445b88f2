// Digits by two convolutions and two dense layers.
import {
  adam,
  conv2d,
  cosine,
  defineRecipe,
  dense,
  dropout,
  flatten,
  imageAugment,
  maxPool2d,
  sequential,
} from "../../tools/train/index.ts";
import { digits, GREY } from "./data.ts";

export default defineRecipe({
  name: "mnist-cnn",
  description: "Handwritten digits by two convolutions, a dense layer of 128 and one of 10.",
  data: digits,
  net: () =>
    sequential(
      conv2d(16, 3, { activation: "relu" }),
      maxPool2d(2),
      conv2d(32, 3, { activation: "relu" }),
      maxPool2d(2),
      flatten(),
      dropout(0.25),
      dense(128, { activation: "relu" }),
      dropout(0.4),
      dense(10),
    ),
  batch: 64,
  epochs: 16,
  optimizer: adam(),
  schedule: cosine(2e-3),
  augment: imageAugment({ rotate: 12, stretch: 0.12, slant: 0.15, shift: 2 }),
  shards: 2,
  meaning: GREY,
});
