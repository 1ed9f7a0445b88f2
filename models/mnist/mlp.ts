// Digits by a net of two dense layers, 784-128-10.
import {
  adam,
  cosine,
  defineRecipe,
  dense,
  dropout,
  flatten,
  imageAugment,
  sequential,
} from "../../tools/train/index.ts";
import { digits, GREY } from "./data.ts";

export default defineRecipe({
  name: "mnist-mlp",
  description: "Handwritten digits by two dense layers, 784-128-10.",
  data: digits,
  net: () => sequential(flatten(), dense(128, { activation: "relu" }), dropout(0.2), dense(10)),
  batch: 64,
  epochs: 24,
  optimizer: adam(),
  schedule: cosine(2e-3),
  augment: imageAugment({ rotate: 10, stretch: 0.1, shift: 1.5 }),
  meaning: GREY,
});
