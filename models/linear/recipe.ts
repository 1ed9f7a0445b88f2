// Linear regression: y = 2x − 1 with noise, by gradient descent on all samples at once.
import { constant, type Dataset, defineRecipe, dense, Random, type Samples, sgd } from "../../tools/train/index.ts";

function samples(count: number, random: Random): Samples {
  const x = Float32Array.from({ length: count }, () => random.between(-1, 1));
  return { x, shape: [1], y: x.map((value) => 2 * value - 1 + 0.05 * random.normal()), count };
}

export default defineRecipe({
  name: "linear",
  description: "A line through noisy points: one weight and one bias, by gradient descent.",
  data(): Dataset {
    const random = new Random(7);
    return {
      train: samples(200, random),
      test: samples(100, random),
      source: "drawn by the recipe: y = 2x − 1, noise of deviation 0.05",
    };
  },
  net: () => dense(1),
  batch: "all",
  epochs: 200,
  optimizer: sgd(),
  schedule: constant(0.2),
});
