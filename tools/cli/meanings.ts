// What a model's inputs stand for: from `--meaning`, or guessed where the quantization leaves no doubt.
// Invariant: a meaning is only ever given to an input whose shape can hold it.

import type { Meaning } from "../../host/targets/node.ts";
import { ToolError } from "../errors.ts";
import type { Graph, Tensor } from "../graph/graph.ts";

const FORMS = `image, image:MEAN,STD, audio:RATE, audio:RATE:GAIN or none`;

/** "image", "image:127.5,127.5", "audio:16000", "audio:16000:32768", "none"; undefined for anything else. */
function parseMeaning(text: string): Meaning | "none" | undefined {
  const [kind, first, second, ...rest] = text.split(/[:,]/);
  const numbers = [first, second].map((field) => (field ? Number(field) : undefined));
  if (rest.length > 0 || numbers.some((number) => number !== undefined && !Number.isFinite(number))) return undefined;
  const [a, b] = numbers;
  if (text === "none") return "none";
  if (text === "image") return { kind: "image", mean: 0, std: 255 };
  if (kind === "image" && a !== undefined && b) return { kind: "image", mean: a, std: b };
  if (kind === "audio" && a && a > 0 && Number.isInteger(a)) return { kind: "audio", sampleRate: a, gain: b ?? 1 };
  return undefined;
}

/** Options of the form "[input=]meaning" → a meaning, or "none", by input name. Throws ToolError USAGE. */
function readMeanings(given: readonly string[], inputs: readonly Tensor[]): Map<string, Meaning | "none"> {
  const known = inputs.map(({ name }) => `"${name}"`).join(", ");
  return new Map(
    given.map((text) => {
      const at = text.lastIndexOf("=");
      const meaning = parseMeaning(text.slice(at + 1));
      if (!meaning) throw new ToolError("USAGE", `--meaning "${text}" must end in ${FORMS}.`);
      if (at < 0 && inputs.length !== 1) {
        throw new ToolError("USAGE", `--meaning "${text}" must start with an input's name and "=": one of ${known}.`);
      }
      const name = at < 0 ? inputs[0]!.name : text.slice(0, at);
      const input = inputs.find((candidate) => candidate.name === name);
      if (!input) throw new ToolError("USAGE", `--meaning "${text}" names no input: the model has ${known}.`);
      if (meaning !== "none" && meaning.kind === "image" && !isPicture(input, 1)) {
        throw new ToolError(
          "BAD_INPUT",
          `Input "${name}" of shape ${input.shape.join("×")} cannot be a picture, which is 1 × height × width × 1 or 3; leave --meaning out.`,
        );
      }
      return [name, meaning];
    }),
  );
}

function isPicture({ shape }: Tensor, least: number): boolean {
  const [height = 0, width = 0, channels] = shape.slice(-3);
  const batch = shape.slice(0, -3).reduce((product, size) => product * size, 1);
  return batch === 1 && height >= least && width >= least && (channels === 1 || channels === 3);
}

const USUAL = [
  { mean: 0, std: 255 },
  { mean: 127.5, std: 127.5 },
  { mean: 0, std: 1 },
] as const;

/** The one usual scaling that maps pixels 0 … 255 onto the whole quantized range, give or take one step. */
function guess(input: Tensor): Meaning | undefined {
  const { dtype, quant } = input;
  if (!isPicture(input, 8) || (dtype !== "int8" && dtype !== "uint8") || quant?.scale.length !== 1) return undefined;
  const least = dtype === "int8" ? -128 : 0;
  const quantized = (pixel: number, { mean, std }: (typeof USUAL)[number]): number =>
    (pixel - mean) / std / quant.scale[0]! + quant.zeroPoint[0]!;
  const fits = USUAL.find(
    (usual) => Math.abs(quantized(0, usual) - least) <= 1 && Math.abs(quantized(255, usual) - (least + 255)) <= 1,
  );
  return fits && { kind: "image", ...fits };
}

export interface Meanings {
  readonly meanings: Readonly<Record<string, Meaning>>;
  /** what was guessed, for the person who may know better; "none" where nothing was */
  readonly guessed: readonly { readonly input: string; readonly meaning: Meaning | "none" }[];
}

/** What is given wins; only a single input is guessed at. */
export function meaningsOf(graph: Graph, given: readonly string[]): Meanings {
  const inputs = graph.inputs.map((id) => graph.tensors[id]!);
  const meanings = readMeanings(given, inputs);
  const guessed: Meanings["guessed"][number][] = [];
  const [only] = inputs;
  if (inputs.length === 1 && only && !meanings.has(only.name)) {
    const meaning = guess(only) ?? "none";
    meanings.set(only.name, meaning);
    guessed.push({ input: only.name, meaning });
  }
  const known = [...meanings].filter((entry): entry is [string, Meaning] => entry[1] !== "none");
  return { meanings: Object.fromEntries(known), guessed };
}
