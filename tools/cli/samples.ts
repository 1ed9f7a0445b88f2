// `--data`: a recipe's data set, or a folder. A folder holds x.npy [count, …] and y.npy [count] labels, or one folder of pictures
// a class. Invariant: samples fit the input's shape, or ToolError says what does not.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Meaning } from "../../host/targets/node.ts";
import { ToolError } from "../errors.ts";
import { elementCount } from "../graph/graph.ts";
import type { Recipe } from "../train/recipe.ts";
import type { Dataset, Samples } from "../train/samples.ts";

/** Part of a folder's samples that is held out where a command trains. */
const HELD_OUT = 0.2;

export interface Wanted {
  /** of one sample, a leading 1 allowed */
  readonly shape: readonly number[];
  readonly meaning?: Meaning | undefined;
}

export const isRecipe = (path: string): boolean => /\.[cm]?[jt]s$/.test(path);

/** A recipe file, compiled beside nothing of the user's. */
export async function recipeAt(path: string): Promise<Recipe> {
  const { mkdtempSync, rmSync } = await import("node:fs");
  const { tmpdir } = await import("node:os");
  const { openRecipe } = await import("../train/recipeFile.ts");
  const folder = mkdtempSync(join(tmpdir(), "mote-recipe-"));
  try {
    return (await openRecipe(path, folder)).recipe;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The data set of a recipe as it is, of a folder with a fifth of each class held out. */
export async function datasetAt(path: string, wanted: Wanted): Promise<Dataset> {
  if (isRecipe(path)) {
    const data = await (await recipeAt(path)).data();
    checkShape(path, data.test, wanted);
    return data;
  }
  const { split } = await import("../train/samples.ts");
  const { samples, classes } = await folderSamples(path, wanted);
  const [train, test] = split(samples, HELD_OUT, 0);
  return { train, test, source: path, ...(classes && { classes }) };
}

/** What a model is judged on: a recipe's test part, all of a folder. */
export async function heldOut(
  path: string,
  wanted: Wanted,
): Promise<{ samples: Samples; classes?: readonly string[] }> {
  if (!isRecipe(path)) return folderSamples(path, wanted);
  const { test, classes } = await datasetAt(path, wanted);
  return { samples: test, ...(classes && { classes }) };
}

async function folderSamples(path: string, wanted: Wanted): Promise<{ samples: Samples; classes?: readonly string[] }> {
  const { imageFolder, npySamples } = await import("../train/data/folders.ts");
  const [x, y] = [join(path, "x.npy"), join(path, "y.npy")];
  if (existsSync(x)) {
    const samples = npySamples(x, y);
    checkShape(path, samples, wanted);
    const classes = samples.y instanceof Int32Array ? Math.max(...samples.y) + 1 : 0;
    return { samples, ...(classes > 0 && { classes: Array.from({ length: classes }, (_, i) => `${i}`) }) };
  }
  if (!existsSync(resolve(path)))
    throw new ToolError("BAD_FILE", `${path} cannot be read: there is no such file or folder.`);
  const [height, width, channels] = wanted.shape.slice(-3) as [number, number, number];
  if (wanted.shape.length < 3 || (channels !== 1 && channels !== 3)) {
    throw new ToolError(
      "BAD_INPUT",
      `${path} has no x.npy and y.npy, and an input of [${wanted.shape}] takes no pictures; give a recipe or these two files.`,
    );
  }
  const found = imageFolder(path, { height, width, channels });
  const { mean = 0, std = 255 } = wanted.meaning?.kind === "image" ? wanted.meaning : {};
  return { samples: { ...found, x: found.x.map((share) => (share * 255 - mean) / std) }, classes: found.classes };
}

function checkShape(path: string, { shape }: Samples, wanted: Wanted): void {
  if (elementCount(shape) !== elementCount(wanted.shape))
    throw new ToolError("BAD_INPUT", `the samples of ${path} are [${shape}] but the model takes [${wanted.shape}].`);
}
