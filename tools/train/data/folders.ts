// Folders of pictures or sounds: one folder a class, whose name is the class. Invariant: classes and files are
// taken in sorted order, so the same folder gives the same samples on every machine.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { resize, withChannels } from "../../data/image.ts";
import { readJpeg } from "../../data/jpeg.ts";
import { fileKind } from "../../data/kind.ts";
import { readNpy } from "../../data/npy.ts";
import { readPng } from "../../data/png.ts";
import { readWav } from "../../data/wav.ts";
import { ToolError } from "../../errors.ts";
import type { Samples } from "../samples.ts";
import { readVerified } from "./verified.ts";

export interface Labelled extends Samples {
  readonly y: Int32Array;
  readonly classes: readonly string[];
}

function readFolder(folder: string, shape: readonly number[], read: (path: string) => Float32Array): Labelled {
  const list = (path: string): { name: string; isFolder: boolean }[] => {
    try {
      return readdirSync(path, { withFileTypes: true })
        .filter(({ name }) => !name.startsWith("."))
        .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (cause) {
      throw new ToolError("BAD_FILE", `The folder ${path} cannot be read: ${(cause as NodeJS.ErrnoException).code}.`, {
        cause,
      });
    }
  };
  const classes = list(folder)
    .filter(({ isFolder }) => isFolder)
    .map(({ name }) => name);
  const files = classes.flatMap((name, label) =>
    list(join(folder, name))
      .filter(({ isFolder }) => !isFolder)
      .map((file) => ({ path: join(folder, name, file.name), label })),
  );
  if (files.length === 0)
    throw new ToolError("BAD_FILE", `${folder} has no folders with files in them; make one folder a class.`);
  const size = shape.reduce((product, n) => product * n, 1);
  const x = new Float32Array(files.length * size);
  for (const [i, { path }] of files.entries()) x.set(read(path), i * size);
  return { x, shape, y: Int32Array.from(files, ({ label }) => label), count: files.length, classes };
}

/** PNG and JPEG pictures scaled to `height` × `width`, pixels 0 … 1; channels 1 (grey) or 3. */
export function imageFolder(
  folder: string,
  { height, width, channels }: { height: number; width: number; channels: 1 | 3 },
): Labelled {
  return readFolder(folder, [height, width, channels], (path) => {
    const bytes = readVerified(path);
    const kind = fileKind(bytes, path);
    if (kind !== "png" && kind !== "jpeg")
      throw new ToolError("BAD_FILE", `${path} is neither PNG nor JPEG; convert or remove it.`);
    const picture = kind === "png" ? readPng(bytes, path) : readJpeg(bytes, path);
    return Float32Array.from(withChannels(resize(picture, width, height), channels).samples, (pixel) => pixel / 255);
  });
}

/** WAV files of `sampleRate`, cut or filled with silence to `samples`, as [samples, 1] in −1 … 1. */
export function wavFolder(folder: string, { sampleRate, samples }: { sampleRate: number; samples: number }): Labelled {
  return readFolder(folder, [samples, 1], (path) => {
    const sound = readWav(readVerified(path), path);
    if (sound.sampleRate !== sampleRate) {
      throw new ToolError(
        "BAD_FILE",
        `${path} has ${sound.sampleRate} samples a second but ${sampleRate} were expected; resample it.`,
      );
    }
    const out = new Float32Array(samples);
    out.set(sound.samples.subarray(0, samples));
    return out;
  });
}

/** An .npy file [count, …] of samples and one of labels [count]. */
export function npySamples(xPath: string, yPath: string): Samples {
  const x = readNpy(readVerified(xPath), xPath);
  const y = readNpy(readVerified(yPath), yPath);
  const [count = 0, ...shape] = x.shape;
  if (y.shape[0] !== count)
    throw new ToolError("BAD_FILE", `${yPath} has [${y.shape}] labels for the [${x.shape}] samples of ${xPath}.`);
  const isFloat = y.data instanceof Float32Array;
  return {
    x: Float32Array.from(x.data as ArrayLike<number>),
    shape,
    y: isFloat ? (y.data as Float32Array) : Int32Array.from(y.data as ArrayLike<number>),
    count,
  };
}
