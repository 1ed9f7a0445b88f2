// Who is speaking, by a simple recurrent net.
import {
  adamw,
  cosine,
  defineRecipe,
  dense,
  dropout,
  rnn,
  sequenceAugment,
  sequential,
} from "../../tools/train/index.ts";
import { vowels } from "./data.ts";

export default defineRecipe({
  name: "vowels-rnn",
  description: "Which of nine speakers says a vowel, by a simple recurrent net.",
  data: vowels,
  net: () => sequential(rnn(48), dropout(0.3), dense(9)),
  batch: 16,
  epochs: 120,
  optimizer: adamw(),
  schedule: cosine(3e-3),
  clipNorm: 1,
  augment: sequenceAugment({ noise: 0.08, gain: 0.1, shift: 2 }),
});
