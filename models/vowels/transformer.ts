// Who is speaking, by a small transformer encoder.
import {
  adamw,
  cosine,
  defineRecipe,
  dense,
  globalAveragePool,
  layerNorm,
  positions,
  sequenceAugment,
  sequential,
  transformerBlock,
  warmUp,
} from "../../tools/train/index.ts";
import { vowels } from "./data.ts";

export default defineRecipe({
  name: "vowels-transformer",
  description: "Which of nine speakers says a vowel, by a transformer encoder of two blocks.",
  data: vowels,
  net: () =>
    sequential(
      dense(32),
      positions(),
      transformerBlock({ heads: 4, hidden: 64, dropout: 0.2 }),
      transformerBlock({ heads: 4, hidden: 64, dropout: 0.2 }),
      layerNorm(),
      globalAveragePool(),
      dense(9),
    ),
  batch: 32,
  epochs: 150,
  optimizer: adamw({ weightDecay: 0.05 }),
  schedule: warmUp(60, cosine(3e-3)),
  clipNorm: 1,
  augment: sequenceAugment({ noise: 0.08, gain: 0.1, shift: 2 }),
});
