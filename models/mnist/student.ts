// Digits by a net of 4,310 parameters: small enough that a teacher can add something.
import {
  adam,
  conv2d,
  cosine,
  defineRecipe,
  dense,
  flatten,
  imageAugment,
  sequential,
} from "../../tools/train/index.ts";
import { digits, GREY } from "./data.ts";

export default defineRecipe({
  name: "mnist-student",
  description: "Handwritten digits by two small convolutions and a dense layer.",
  data: digits,
  net: () =>
    sequential(
      conv2d(4, 3, { stride: 2, activation: "relu" }),
      conv2d(8, 3, { stride: 2, activation: "relu" }),
      flatten(),
      dense(10),
    ),
  batch: 64,
  epochs: 12,
  optimizer: adam(),
  schedule: cosine(4e-3),
  augment: imageAugment({ rotate: 12, stretch: 0.12, slant: 0.15, shift: 2 }),
  meaning: GREY,
});
