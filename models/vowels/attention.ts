// Who is speaking, by self-attention over the steps.
import {
  adamw,
  cosine,
  defineRecipe,
  dense,
  dropout,
  globalAveragePool,
  positions,
  residual,
  selfAttention,
  sequenceAugment,
  sequential,
} from "../../tools/train/index.ts";
import { vowels } from "./data.ts";

export default defineRecipe({
  name: "vowels-attention",
  description: "Which of nine speakers says a vowel, by self-attention over the steps.",
  data: vowels,
  net: () =>
    sequential(
      dense(32, { activation: "relu" }),
      positions(),
      residual(selfAttention(4)),
      dense(64, { activation: "relu" }),
      globalAveragePool(),
      dropout(0.3),
      dense(9),
    ),
  batch: 32,
  epochs: 150,
  optimizer: adamw(),
  schedule: cosine(4e-3),
  clipNorm: 1,
  augment: sequenceAugment({ noise: 0.08, gain: 0.1, shift: 2 }),
});
