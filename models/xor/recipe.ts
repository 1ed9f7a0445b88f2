// XOR, which no single layer can learn: a net of two layers, by Adam.
import { adam, constant, defineRecipe, dense, type Samples, sequential } from "../../tools/train/index.ts";

const samples: Samples = {
  x: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1),
  shape: [2],
  y: Int32Array.of(0, 1, 1, 0),
  count: 4,
};

export default defineRecipe({
  name: "xor",
  description: "Exclusive or of two bits, by a net of two layers.",
  data: () => ({ train: samples, test: samples, classes: ["0", "1"], source: "the four rows of the truth table" }),
  net: () => sequential(dense(8, { activation: "tanh" }), dense(2)),
  batch: "all",
  epochs: 300,
  optimizer: adam(),
  schedule: constant(0.05),
});
