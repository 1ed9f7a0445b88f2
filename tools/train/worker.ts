// A training worker's thread; see workers.ts. Invariant: it makes the same trainer as the main thread, from the
// same module and seed.

import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import type { Recipe } from "./recipe.ts";
import { Trainer } from "./trainer.ts";
import { serve, type WorkerData } from "./workers.ts";

const data = workerData as WorkerData;
const { default: recipe } = (await import(pathToFileURL(data.recipe).href)) as { default: Recipe };
const trainer = new Trainer(recipe, await recipe.data(), data.seed);
parentPort!.postMessage("ready");
serve(trainer, data);
