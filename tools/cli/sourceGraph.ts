// A command's model argument → its graph: a .tflite or .onnx file, or a trained recipe. Invariant: a trained recipe comes with
// its float weights, and its graph is the int8 one of a plain export.

import { basename, dirname, resolve } from "node:path";
import { ToolError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import type { Recipe } from "../train/recipe.ts";
import type { Dataset } from "../train/samples.ts";
import { readInput } from "./files.ts";
import { isRecipe, recipeAt } from "./samples.ts";

export interface Trained {
  readonly recipe: Recipe;
  readonly data: Dataset;
  readonly weights: ReadonlyMap<string, Float32Array>;
}

export interface Source {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly graph: Graph;
  /** where the argument was a recipe */
  readonly trained?: Trained;
}

/** `from`: the weights.bin of a recipe, which needs one. Throws USAGE or what reading throws. */
export async function openSource(path: string, from: string | undefined): Promise<Source> {
  const bytes = await readInput(path);
  const name = basename(path);
  if (!isRecipe(path)) {
    const { importModel } = await import("../index.ts");
    return { name, bytes, graph: importModel(bytes, name, { folder: dirname(resolve(path)) }) };
  }
  if (from === undefined)
    throw new ToolError("USAGE", `${path} is a recipe: add --from FOLDER/weights.bin, which "mote train" has written.`);
  const { readWeights } = await import("../train/checkpoint.ts");
  const { floatGraph } = await import("../train/integer/integerTraining.ts");
  await readInput(from);
  const weights = readWeights(from);
  const recipe = await recipeAt(path);
  const data = await recipe.data();
  return { name, bytes, graph: floatGraph(recipe, data, weights), trained: { recipe, data, weights } };
}
