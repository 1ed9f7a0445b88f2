// Spoken digits by a gated recurrent unit over log-mel spectra.
import {
  adamw,
  cosine,
  defineRecipe,
  dense,
  dropout,
  gru,
  sequenceAugment,
  sequential,
} from "../../tools/train/index.ts";
import { spokenDigits } from "./data.ts";

export default defineRecipe({
  name: "spoken-digits-gru",
  description: "Which digit is spoken, by a gated recurrent unit over 48 frames of a log-mel spectrum.",
  data: spokenDigits,
  net: () => sequential(dense(48, { activation: "relu" }), gru(64), dropout(0.3), dense(10)),
  batch: 64,
  epochs: 40,
  optimizer: adamw(),
  schedule: cosine(5e-3),
  clipNorm: 1,
  augment: sequenceAugment({ noise: 0.05, gain: 0.1, shift: 4, maskSteps: 6, maskFeatures: 4, fill: -1 }),
});
