// Reads a .mote file (layout.ts draws it): checks every field before it is used, copies nothing but the self-test vectors.
// Invariant: any bytes give a ModelFile whose ports and steps lie inside its memory, or a MoteError;
// never another error, and in time linear in the bytes. The core checks the steps themselves.
import { ABI_VERSION, NUMERICS_VERSION, Plan, STEP_WORDS } from "../../assembly/abi.ts";
import { MoteError } from "../errors.ts";
import { badModel, checkHeader } from "./check.ts";
import { DTYPES } from "./dtype.ts";
import type { Header, PortHeader } from "./header.ts";
import { decodeHeader } from "./msgpack.ts";
import { checkVersion, equal, readSections } from "./sections.ts";

/** Most bytes that a model may ask for: 1 GiB. */
export const MAX_TOTAL_BYTES = 2 ** 30;

/** Where an input or output lies in the model's memory. */
export interface PortSlot {
  readonly port: PortHeader;
  /** elements: the product of the shape */
  readonly length: number;
  /** from the model's base; a multiple of the storage's element size, inside the arena */
  readonly offset: number;
  readonly bytes: number;
}

/** A checked model file. `image` is a view into the bytes that were read, the only one. */
export interface ModelFile {
  readonly header: Header;
  readonly image: Uint8Array;
  readonly inputs: readonly PortSlot[];
  readonly outputs: readonly PortSlot[];
  /** storage bytes of one set of inputs and of the outputs that they must give, in port order */
  readonly selfTest: { readonly inputs: readonly Uint8Array[]; readonly outputs: readonly Uint8Array[] };
}

/** The ports of both sides, after the plan's header and io records are found to fit `image` and `header`. */
function readPlan(image: Uint8Array, header: Header): PortSlot[] {
  if (image.length < Plan.Words * 4) badModel("plan size", `at least ${Plan.Words * 4}`, image.length);
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  const word = (index: number): number => view.getUint32(index * 4, true);
  checkVersion("plan version", word(Plan.AbiVersion), ABI_VERSION);
  checkVersion("numerics version", word(Plan.NumericsVersion), NUMERICS_VERSION);
  /** `count` records of `bytes` each, on a word boundary inside the image */
  const fits = (at: string, offset: number, count: number, bytes: number): void => {
    if (offset % 4 || offset + count * bytes > image.length) badModel(at, "inside the image", offset);
  };
  const total = word(Plan.TotalBytes);
  const { memory, steps, inputs, outputs } = header;
  equal("plan image bytes", word(Plan.ImageBytes), image.length);
  if (total < image.length || total > MAX_TOTAL_BYTES) badModel("plan total bytes", `${image.length} … 2³⁰`, total);
  equal("header.memory.imageBytes", memory.imageBytes, image.length);
  equal("header.memory.arenaBytes", memory.arenaBytes, total - image.length);
  equal("header.memory.totalBytes", memory.totalBytes, total);
  equal("plan input count", word(Plan.InputCount), inputs.length);
  equal("plan output count", word(Plan.OutputCount), outputs.length);
  equal("plan step count", word(Plan.StepCount), steps.length);
  fits("plan step offset", word(Plan.StepOffset), steps.length, STEP_WORDS * 4);
  const state = word(Plan.StateBytes);
  const inArena = word(Plan.StateOffset) >= image.length && word(Plan.StateOffset) + state <= total;
  if (state && !inArena) badModel("plan state offset", "inside the arena", word(Plan.StateOffset));
  if (state) fits("plan initial state", word(Plan.StateInit), 1, state);
  const io = word(Plan.IoOffset);
  const ports = [...inputs, ...outputs];
  fits("plan io offset", io, ports.length, 8);
  return ports.map((port, i) => {
    const size = DTYPES[port.storage].bytes;
    const at = `port ${JSON.stringify(port.name)}`;
    const length = port.shape.reduce((product, dimension) => product * dimension, 1);
    const [offset, bytes] = [word(io / 4 + i * 2), word(io / 4 + i * 2 + 1)];
    equal(`${at} bytes`, bytes, length * size);
    if (offset < image.length || offset + bytes > total || offset % size)
      badModel(`${at} offset`, "inside the arena", offset);
    return { port, length, offset, bytes };
  });
}

/** Checks and reads a whole .mote file; throws MoteError BAD_MODEL or VERSION. `bytes` must not change afterwards. */
export function readModel(bytes: Uint8Array): ModelFile {
  const [headerBytes, image, vectors] = readSections(bytes);
  let decoded: unknown;
  try {
    decoded = decodeHeader(headerBytes);
  } catch (cause) {
    throw new MoteError("BAD_MODEL", `Damaged model: the header is not msgpack (${String(cause)}).`, { cause });
  }
  const header = checkHeader(decoded);
  const slots = readPlan(image, header);
  let end = 0;
  const vectorOf = ({ bytes }: PortSlot): Uint8Array => {
    end += bytes;
    return new Uint8Array(vectors.subarray(end - bytes, end));
  };
  const split = header.inputs.length;
  const [inputs, outputs] = [slots.slice(0, split), slots.slice(split)];
  const selfTest = { inputs: inputs.map(vectorOf), outputs: outputs.map(vectorOf) };
  equal("self-test bytes", vectors.length, end);
  return { header, image, inputs, outputs, selfTest };
}
