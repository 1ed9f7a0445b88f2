// `npm run bench:workers`: a step of the digits' CNN by one thread and by two, in turn, with the same bytes.
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { openRecipe } from "../../../dist/tools/train/recipeFile.js";
import { Trainer } from "../../../dist/tools/train/trainer.js";
import { WorkerPool } from "../../../dist/tools/train/workers.js";
import { OWN, ROOT } from "../places.mjs";

const ROUNDS = 12;
const STEPS = 8;

mkdirSync(OWN, { recursive: true });
const { recipe, module } = await openRecipe(`${ROOT}models/mnist/cnn.ts`, OWN);
const data = await recipe.data();
const trainers = [new Trainer(recipe, data, 0), new Trainer(recipe, data, 0)];
trainers[1].workers = await WorkerPool.open(trainers[1], module, 2);
const times = [[], []];
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, trainer] of trainers.entries()) {
    for (let step = 0; step < STEPS; step++) {
      const started = performance.now();
      trainer.step();
      if (round > 0) times[i].push(performance.now() - started);
    }
  }
}
await trainers[1].workers.close();
const [one, two] = trainers.map(({ machine }) => createHash("sha256").update(machine.values.slice()).digest("hex"));
if (one !== two) throw new Error("one thread and two gave other weights");
const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const [first, second] = times;
console.log(`one thread   ${Math.min(...first).toFixed(1)} ms at best, ${middle(first).toFixed(1)} median`);
console.log(`two threads  ${Math.min(...second).toFixed(1)} ms at best, ${middle(second).toFixed(1)} median`);
console.log(
  `speed-up     ${(Math.min(...first) / Math.min(...second)).toFixed(2)} at best, ${(middle(first) / middle(second)).toFixed(2)} by medians; the weights are the same bytes`,
);
