// Writes the image: plan header, io records, steps, params; the bytes that the core reads.
// assembly/abi.ts draws it. Invariant: same graph, same bytes; every offset fits in 32 bits.

import { createHash } from "node:crypto";
import { ABI_VERSION, NUMERICS_VERSION, Plan, STEP_WORDS, Step } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { freshStates } from "../evaluate/reference.ts";
import type { Graph } from "../graph/graph.ts";
import type { Ref } from "../ops/operator.ts";
import { type Lowered, type LoweredStep, lowerGraph, tensorBytes } from "./lower.ts";
import { assignPlaces, type Places } from "./places.ts";
import { withRoom } from "./room.ts";
import type { Sparsity } from "./sparseChoice.ts";

export interface Image {
  readonly bytes: Uint8Array;
  readonly totalBytes: number;
  readonly lowered: Lowered;
  readonly places: Places;
}

/** A model past this many bytes of memory is refused: offsets must stay far below 2^31. */
const MOST_BYTES = 2 ** 30;
const PARAMS_ALIGN = 16;
const IMAGE_ALIGN = 64;

/**
 * The image of `graph` in at most `maxBytes` of memory, image and arena together. Layers give up the memory that only
 * makes them faster (Winograd's weights, few bits laid out at eight), those that gain least for their bytes first, until it fits.
 * Throws UNSUPPORTED where nothing makes it fit.
 */
export function buildImage(graph: Graph, maxBytes = MOST_BYTES, sparsity: Sparsity = "byCost"): Image {
  const frugal = new Set<string>();
  for (;;) {
    const lowered = lowerGraph(graph, frugal, sparsity);
    const places = assignPlaces(graph, lowered);
    const image = imageOf(graph, lowered, places);
    if (image.totalBytes <= maxBytes) {
      const roomy = withRoom(graph, lowered, places, image.totalBytes, maxBytes);
      return roomy.lowered === lowered ? image : imageOf(graph, roomy.lowered, roomy.places);
    }
    const bytesFor = ({ spareBytes = 0, macs = 1 }: LoweredStep): number => spareBytes / macs;
    const [dearest] = image.lowered.steps
      .filter(({ spareBytes }) => spareBytes)
      .sort((a, b) => bytesFor(b) - bytesFor(a));
    if (!dearest) {
      throw new ToolError(
        "UNSUPPORTED",
        `the model needs ${image.totalBytes} bytes of memory but at most ${maxBytes} are allowed; allow more or make the model smaller.`,
      );
    }
    frugal.add(dearest.node.name);
  }
}

function imageOf(graph: Graph, lowered: Lowered, places: Places): Image {
  const ports = [...graph.inputs, ...graph.outputs];
  const ioOffset = Plan.Words * 4;
  const stepOffset = align(ioOffset + ports.length * 8, 16);
  let at = stepOffset + lowered.steps.length * STEP_WORDS * 4;
  const paramOffsets = lowered.params.map((blob) => {
    const offset = align(at, PARAMS_ALIGN);
    at = offset + blob.length;
    return offset;
  });
  const stateInit = align(at, PARAMS_ALIGN);
  if (places.stateBytes > 0) at = stateInit + places.stateBytes;
  const imageBytes = align(at, IMAGE_ALIGN);
  const totalBytes = imageBytes + places.arena.bytes;
  const bytes = new Uint8Array(imageBytes);
  const view = new DataView(bytes.buffer);
  const resolve = (ref: Ref): number =>
    ref.kind === "params" ? paramOffsets[ref.index]! : imageBytes + places.offsetOf(ref);

  const header: [number, number][] = [
    [Plan.AbiVersion, ABI_VERSION],
    [Plan.NumericsVersion, NUMERICS_VERSION],
    [Plan.StepCount, lowered.steps.length],
    [Plan.StepOffset, stepOffset],
    [Plan.ImageBytes, imageBytes],
    [Plan.TotalBytes, totalBytes],
    [Plan.InputCount, graph.inputs.length],
    [Plan.OutputCount, graph.outputs.length],
    [Plan.IoOffset, ioOffset],
    ...(places.stateBytes > 0
      ? ([
          [Plan.StateOffset, imageBytes],
          [Plan.StateBytes, places.stateBytes],
          [Plan.StateInit, stateInit],
        ] satisfies [number, number][])
      : []),
  ];
  for (const [word, value] of header) view.setUint32(word * 4, value, true);
  for (const [i, id] of ports.entries()) {
    view.setUint32(ioOffset + i * 8, resolve({ kind: "tensor", id, byteOffset: 0 }), true);
    view.setUint32(ioOffset + i * 8 + 4, tensorBytes(graph.tensors[id]!), true);
  }
  for (const [i, step] of lowered.steps.entries()) {
    const base = stepOffset + i * STEP_WORDS * 4;
    const set = (word: number, value: number): void => view.setInt32(base + word * 4, value, true);
    set(Step.Op, step.op);
    set(Step.Kernel, step.kernel ?? 0);
    if (step.input) set(Step.Input, resolve(step.input));
    if (step.input2) set(Step.Input2, resolve(step.input2));
    set(Step.Output, resolve(step.output));
    if (step.params) set(Step.Params, resolve(step.params));
    for (const [word, place] of step.more ?? []) set(word, resolve(place));
    if (step.scratchBytes) {
      set(Step.Scratch, imageBytes + places.scratchOffset(i));
      set(Step.ScratchBytes, align(step.scratchBytes, 16));
    }
    for (const [word, value] of step.fields) set(word, value);
    for (const [word, value] of step.floats ?? []) view.setFloat32(base + word * 4, value, true);
  }
  for (const [i, blob] of lowered.params.entries()) bytes.set(blob, paramOffsets[i]!);
  if (places.stateBytes > 0) {
    for (const [i, data] of freshStates(graph).entries()) {
      const at = stateInit + places.arena.buffers[i]!.offset;
      bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    }
    bytes.set(createHash("sha256").update(bytes).digest().subarray(0, 16), Plan.ModelId * 4);
  }
  return { bytes, totalBytes, lowered, places };
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
