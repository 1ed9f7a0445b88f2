// Front ends of published nets, as steps before the net: the model then takes samples as they come from a microphone.
// Invariant: what the net computes on the features is unchanged; the features are those of its training pipeline.

import { ToolError } from "../errors.ts";
import { type Attributes, elementCount, type Graph, type Tensor } from "./graph.ts";
import { makeNode } from "./node.ts";

type Settings = Attributes["spectrum"];

interface FrontEnd {
  readonly settings: Settings;
  /** samples of one input, for a net that takes a clip of a fixed length */
  readonly samples: (frames: number) => number;
}

const RATE = 16000;
const span = ({ windowLength, hop }: Settings, frames: number): number => windowLength + (frames - 1) * hop;

/** 30 ms of Hann every 20, magnitudes, 40 mel bands, ten coefficients; quantized towards zero as its data were. */
const MFCC: Settings = {
  sampleRate: RATE,
  window: "hann",
  windowLength: 480,
  hop: 320,
  fftLength: 512,
  peak: true,
  preEmphasis: 0,
  magnitude: true,
  powerScale: 1,
  bands: 40,
  lowest: 20,
  highest: 4000,
  floor: 1e-6,
  logScale: 1,
  coefficients: 10,
  scale: 1,
  offset: 0,
  low: -Infinity,
  high: Infinity,
  truncate: true,
};

/** 64 ms of Hamming every 32, powers, 40 mel bands in decibels, 0 … 1. */
const LOG_FILTER_BANK: Settings = {
  ...MFCC,
  window: "hamming",
  windowLength: 1024,
  hop: 512,
  fftLength: 1024,
  peak: false,
  preEmphasis: 1 - 2 ** -5,
  magnitude: false,
  powerScale: 1 / 1024,
  lowest: 0,
  highest: 8000,
  floor: 1e-30,
  logScale: 10 / Math.LN10,
  coefficients: 0,
  scale: 1 / 64,
  offset: 52 / 64,
  low: 0,
  high: 1,
  truncate: false,
};

export const FRONT_ENDS: Readonly<Record<string, FrontEnd>> = {
  /** MLPerf Tiny's keyword spotting: a second of sound, divided by its largest sample */
  kws: { settings: MFCC, samples: () => RATE },
  /** MLPerf Tiny's streaming wake word */
  strww: { settings: LOG_FILTER_BANK, samples: (frames) => span(LOG_FILTER_BANK, frames) },
};

/** `graph` with samples instead of features as its one input. Throws ToolError USAGE or BAD_GRAPH where they do not fit. */
export function withFrontEnd(graph: Graph, name: string): Graph {
  const frontEnd = FRONT_ENDS[name];
  if (!frontEnd) {
    throw new ToolError("USAGE", `There is no front end "${name}": there are ${Object.keys(FRONT_ENDS).join(", ")}.`);
  }
  const { settings } = frontEnd;
  const [id = -1, ...others] = graph.inputs;
  const input = graph.tensors[id];
  const outputs = settings.coefficients || settings.bands;
  const frames = input ? elementCount(input.shape) / outputs : 0;
  if (!input || others.length > 0 || input.dtype !== "int8" || !Number.isInteger(frames)) {
    const got = graph.inputs.map((one) => `${graph.tensors[one]!.dtype} [${graph.tensors[one]!.shape}]`).join(", ");
    throw new ToolError(
      "BAD_GRAPH",
      `The front end ${name} gives int8 frames of ${outputs} values to a net with one input, but this one takes ${got}.`,
    );
  }
  const samples: Tensor = { name: "samples", shape: [1, frontEnd.samples(frames)], dtype: "float32" };
  const features: Tensor = { ...input, name: `${input.name}/frames`, shape: [frames, outputs] };
  const tensors = [...graph.tensors, samples, features];
  const [samplesId, featuresId] = [tensors.length - 2, tensors.length - 1];
  const nodes = [
    makeNode("spectrum", `${input.name}/${name}`, [samplesId], [featuresId], settings),
    makeNode("reshape", `${input.name}/shape`, [featuresId], [id], { shape: input.shape }),
    ...graph.nodes,
  ];
  const edges = new Map([...(graph.edges ?? [])].filter(([port]) => port !== id));
  return { ...graph, tensors, nodes, inputs: [samplesId], edges };
}
