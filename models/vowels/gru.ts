// Who is speaking, by a gated recurrent unit.
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
import { vowels } from "./data.ts";

export default defineRecipe({
  name: "vowels-gru",
  description: "Which of nine speakers says a vowel, by a gated recurrent unit.",
  data: vowels,
  net: () => sequential(gru(48), dropout(0.3), dense(9)),
  batch: 32,
  epochs: 120,
  optimizer: adamw(),
  schedule: cosine(6e-3),
  clipNorm: 1,
  augment: sequenceAugment({ noise: 0.08, gain: 0.1, shift: 2 }),
});
