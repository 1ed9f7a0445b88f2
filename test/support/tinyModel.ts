// A whole model built by hand: one lookup step over 12 bytes, float32 at both edges. Small enough to
// draw, so that format and session tests know every byte of it:
//
//   0 plan header │ 64 io records │ 128 the step │ 256 table │ 512 arena: input 12 B │ 576 output 12 B │ 640 end
import { ABI_VERSION, Lookup, NUMERICS_VERSION, Op, Plan, Step } from "../../assembly/abi.ts";
import type { Header, PortHeader } from "../../host/format/header.ts";
import { type ModelContent, writeModel } from "../../tools/pack/file.ts";

export const TINY = {
  io: 64,
  step: 128,
  table: 256,
  image: 512,
  input: 512,
  output: 576,
  total: 640,
  count: 12,
} as const;

const port = (name: string, given: Partial<PortHeader> = {}): PortHeader => ({
  name,
  shape: [1, 3, 4],
  dtype: "float32",
  storage: "int8",
  scale: 0.5,
  zeroPoint: 3,
  ...given,
});

/** Changes to the usual tiny model. */
export interface TinyOptions {
  readonly input?: Partial<PortHeader>;
  readonly output?: Partial<PortHeader>;
  readonly header?: Partial<Header>;
  /** arena bytes of each port */
  readonly bytes?: number;
  /** bytes of image and arena, when the arena is to be larger than it need be */
  readonly total?: number;
}

/** y = x XOR 0x80 of every byte: int8 v becomes v ± 128. */
export function tinyContent(options: TinyOptions = {}): ModelContent {
  const { input = {}, output = {}, header = {}, bytes = TINY.count, total = TINY.total } = options;
  const image = new Uint8Array(TINY.image);
  const view = new DataView(image.buffer);
  const put = (offset: number, words: Readonly<Record<number, number>>): void => {
    for (const [word, value] of Object.entries(words)) view.setUint32(offset + Number(word) * 4, value, true);
  };
  put(0, {
    [Plan.AbiVersion]: ABI_VERSION,
    [Plan.NumericsVersion]: NUMERICS_VERSION,
    [Plan.StepCount]: 1,
    [Plan.StepOffset]: TINY.step,
    [Plan.ImageBytes]: TINY.image,
    [Plan.TotalBytes]: total,
    [Plan.InputCount]: 1,
    [Plan.OutputCount]: 1,
    [Plan.IoOffset]: TINY.io,
  });
  put(TINY.io, { 0: TINY.input, 1: bytes, 2: TINY.output, 3: bytes });
  put(TINY.step, {
    [Step.Op]: Op.Lookup,
    [Step.Input]: TINY.input,
    [Step.Output]: TINY.output,
    [Step.Params]: TINY.table,
    [Lookup.Count]: bytes,
  });
  for (let i = 0; i < 256; i++) image[TINY.table + i] = i ^ 0x80;
  const vector = Uint8Array.from({ length: bytes }, (_, i) => i * 21);
  return {
    header: {
      name: "tiny",
      inputs: [port("x", input)],
      outputs: [port("y", output)],
      memory: { imageBytes: TINY.image, arenaBytes: total - TINY.image, totalBytes: total },
      steps: [
        {
          name: "flip",
          op: "lookup",
          kernel: "table",
          inputShapes: [[1, 3, 4]],
          outputShape: [1, 3, 4],
          macs: 0,
          paramBytes: 256,
          outputSlot: [64, bytes],
          scratchBytes: 0,
        },
      ],
      provenance: { source: "by hand", sourceSha256: "", packedBy: "test/support/tinyModel.ts" },
      ...header,
    },
    image,
    selfTest: { inputs: [vector], outputs: [vector.map((byte) => byte ^ 0x80)] },
  };
}

export const tinyModel = (options?: TinyOptions): Uint8Array => writeModel(tinyContent(options));
