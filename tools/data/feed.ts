// A file → the array that one input of a model takes. What the file holds is told from its content, what
// the numbers stand for from the port. Invariant: the array has exactly the port's element count, or ToolError.

import type { TensorArray } from "../../host/format/dtype.ts";
import type { Meaning, PortHeader } from "../../host/format/header.ts";
import { ToolError } from "../errors.ts";
import { type Picture, resize, withChannels } from "./image.ts";
import { fileKind } from "./kind.ts";
import { readNpy } from "./npy.ts";
import { readRaw } from "./raw.ts";
import type { Sound } from "./wav.ts";

export interface Fed {
  readonly data: TensorArray;
  /** what was done to make it fit, in words, for the person who gave the file */
  readonly note?: string;
}

const shapeText = (shape: readonly number[]): string => shape.join("×");
const countOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
const withoutLeadingOnes = (shape: readonly number[]): string => {
  const first = shape.findIndex((size) => size !== 1);
  return first < 0 ? "" : shapeText(shape.slice(first));
};

/** `name` is the file's, for messages. Rejects with ToolError BAD_FILE or BAD_INPUT. */
export async function feedFile(port: PortHeader, bytes: Uint8Array, name: string): Promise<Fed> {
  const { shape, dtype } = port;
  // a decoder is loaded only for a file that needs it: together they take longer to start than a model to run
  switch (fileKind(bytes, name)) {
    case "raw":
      return { data: readRaw(bytes, name, dtype, countOf(shape)) };
    case "npy": {
      const array = readNpy(bytes, name);
      if (withoutLeadingOnes(array.shape) === withoutLeadingOnes(shape)) return { data: array.data };
      throw new ToolError(
        "BAD_INPUT",
        `${name} must have shape ${shapeText(shape)} for input "${port.name}", got ${shapeText(array.shape) || "a scalar"}; reshape it first.`,
      );
    }
    case "png":
      return feedPicture(port, (await import("./png.ts")).readPng(bytes, name), name);
    case "jpeg":
      return feedPicture(port, (await import("./jpeg.ts")).readJpeg(bytes, name), name);
    case "wav":
      return feedSound(port, (await import("./wav.ts")).readWav(bytes, name), name);
    case undefined:
      throw new ToolError(
        "BAD_FILE",
        `${name} is none of PNG, JPEG, WAV and .npy; convert it to one of these, or name it .bin if it holds raw ${dtype} elements.`,
      );
  }
}

/** The port's meaning, when it is of `kind`; otherwise the way to set it. */
function meaningOf<K extends Meaning["kind"]>(
  { name, meaning }: PortHeader,
  kind: K,
  file: string,
  example: string,
): Extract<Meaning, { kind: K }> {
  if (meaning?.kind === kind) return meaning as Extract<Meaning, { kind: K }>;
  const got = meaning ? `is ${meaning.kind}` : "does not say what its numbers stand for";
  throw new ToolError(
    "BAD_INPUT",
    `${file} cannot be fed to input "${name}", which ${got}; import the model with --meaning "${name}=${example}", or give .npy or .bin.`,
  );
}

function feedPicture(port: PortHeader, picture: Picture, name: string): Fed {
  const [height, width, channels] = port.shape.slice(-3);
  if (!height || !width || (channels !== 1 && channels !== 3)) {
    throw new ToolError(
      "BAD_INPUT",
      `${name} cannot be fed to input "${port.name}": a picture needs a shape of height × width × 1 or 3, got ${shapeText(port.shape)}; give .npy or .bin.`,
    );
  }
  const pictures = countOf(port.shape) / (height * width * channels);
  if (pictures !== 1) {
    throw new ToolError(
      "BAD_INPUT",
      `${name} is one picture, and input "${port.name}" takes ${pictures} at once (${shapeText(port.shape)}); give .npy or .bin.`,
    );
  }
  const { mean, std } = meaningOf(port, "image", name, "image:0,255");
  const { samples } = resize(withChannels(picture, channels), width, height);
  const data = Float32Array.from(samples, (sample) => (sample - mean) / std);
  if (picture.width === width && picture.height === height) return { data };
  return { data, note: `${name}: ${picture.width}×${picture.height} pixels resized to ${width}×${height}` };
}

function feedSound(port: PortHeader, { sampleRate, samples }: Sound, name: string): Fed {
  const meaning = meaningOf(port, "audio", name, "audio:16000");
  if (sampleRate !== meaning.sampleRate) {
    throw new ToolError(
      "BAD_INPUT",
      `${name} must have ${meaning.sampleRate} samples a second for input "${port.name}", got ${sampleRate}; resample it first.`,
    );
  }
  const count = countOf(port.shape);
  const data = new Float32Array(count);
  for (let i = 0; i < Math.min(count, samples.length); i++) data[i] = samples[i]! * meaning.gain;
  if (samples.length === count) return { data };
  const change = samples.length < count ? "followed by silence" : "cut at the end";
  return { data, note: `${name}: ${samples.length} samples ${change} to give ${count}` };
}
