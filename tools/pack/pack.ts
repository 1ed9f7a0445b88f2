// Graph → .mote file: checks, lowers, plans the memory, makes the self-test vector with the integer
// reference, and writes it all. Invariant: the same graph and options give the same bytes.

import { createHash } from "node:crypto";
import type { Header, InterfaceDType, Meaning, PortHeader, StepHeader } from "../../host/format/header.ts";
import { ToolError } from "../errors.ts";
import { evaluate } from "../evaluate/reference.ts";
import { elementCount, type Graph, type TensorData, zeros } from "../graph/graph.ts";
import { validateGraph } from "../graph/validate.ts";
import { writeModel } from "./file.ts";
import { buildImage, type Image } from "./image.ts";
import { tensorBytes } from "./lower.ts";
import { PACKED_BY } from "./version.ts";

export interface PackOptions {
  /** where the graph came from, for provenance: a file name, not a path */
  readonly source: string;
  /** the source file's bytes, whose SHA-256 goes into the header */
  readonly sourceBytes: Uint8Array;
  /** class names of every output that scores that many classes */
  readonly labels?: readonly string[];
  /** most bytes of memory for image and arena; layers give up their larger, faster weights to stay below */
  readonly maxMemoryBytes?: number;
  /** what the inputs stand for, by input name */
  readonly meanings?: Readonly<Record<string, Meaning>>;
}

export interface Packed {
  readonly bytes: Uint8Array;
  readonly header: Header;
  readonly image: Image;
}

/** Throws ToolError BAD_GRAPH or UNSUPPORTED where the graph cannot be packed. */
export function packGraph(graph: Graph, options: PackOptions): Packed {
  validateGraph(graph);
  const image = buildImage(graph, options.maxMemoryBytes);
  const header: Header = {
    name: graph.name,
    inputs: graph.inputs.map((id) => portHeader(graph, id, options, false)),
    outputs: graph.outputs.map((id) => portHeader(graph, id, options, true)),
    memory: {
      imageBytes: image.bytes.length,
      arenaBytes: image.places.arena.bytes,
      totalBytes: image.totalBytes,
    },
    steps: image.lowered.steps.map((_, i) => stepHeader(graph, image, i)),
    provenance: {
      source: options.source,
      sourceSha256: createHash("sha256").update(options.sourceBytes).digest("hex"),
      packedBy: PACKED_BY,
    },
  };
  const inputs = graph.inputs.map((id, i) => selfTestInput(graph, id, i));
  const outputs = evaluate(graph, inputs);
  const bytes = writeModel({
    header,
    image: image.bytes,
    selfTest: { inputs: inputs.map(bytesOf), outputs: outputs.map(bytesOf) },
  });
  return { bytes, header, image };
}

function portHeader(graph: Graph, id: number, options: PackOptions, isOutput: boolean): PortHeader {
  const { name, shape, dtype, quant } = graph.tensors[id]!;
  if (dtype === "int64" || dtype === "bool") {
    throw new ToolError(
      "UNSUPPORTED",
      `"${name}" is ${dtype}, which cannot be an input or output; use int32 or a quantized dtype.`,
    );
  }
  const edge: InterfaceDType = graph.edges?.get(id) ?? dtype;
  const { labels } = options;
  const meaning = options.meanings?.[name];
  return {
    name,
    shape: shape.length > 0 ? shape : [1],
    dtype: edge,
    storage: dtype,
    ...(quant?.scale.length === 1 && { scale: quant.scale[0]!, zeroPoint: quant.zeroPoint[0]! }),
    ...(isOutput && labels && labels.length === shape.at(-1) && { labels }),
    ...(!isOutput && meaning && { meaning }),
  };
}

function stepHeader(graph: Graph, image: Image, index: number): StepHeader {
  const { lowered, places } = image;
  const step = lowered.steps[index]!;
  const { node, output } = step;
  const outputId = output.kind === "tensor" ? output.id : undefined;
  const outputTensor = graph.tensors[outputId ?? node.outputs[0]!]!;
  const isTemporary = output.kind === "temporary";
  const { input2 } = step;
  const resident = input2?.kind === "temporary" && lowered.temporaries[input2.index]!.resident ? input2 : undefined;
  return {
    name: node.name,
    op: node.op,
    kernel: step.kernelName,
    inputShapes: node.inputs.filter((id) => id >= 0 && !graph.tensors[id]!.data).map((id) => graph.tensors[id]!.shape),
    outputShape: outputTensor.shape,
    macs: step.macs ?? 0,
    paramBytes: step.params?.kind === "params" ? lowered.params[step.params.index]!.length : 0,
    outputSlot: [
      output.kind === "params" ? 0 : places.offsetOf(output),
      isTemporary ? lowered.temporaries[output.index]!.bytes : tensorBytes(outputTensor),
    ],
    ...(resident && { residentSlot: [places.offsetOf(resident), lowered.temporaries[resident.index]!.bytes] }),
    scratchBytes: step.scratchBytes ?? 0,
  };
}

/** Seeded values over the whole range of the storage dtype. */
function selfTestInput(graph: Graph, id: number, port: number): TensorData {
  const { shape, dtype } = graph.tensors[id]!;
  const data = zeros(dtype, elementCount(shape));
  let state = 0x2545f491 + port;
  for (let i = 0; i < data.length; i++) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    if (data instanceof Float32Array) data[i] = (state >>> 8) / 2 ** 23 - 1;
    else if (!(data instanceof BigInt64Array)) data[i] = state >> 8;
  }
  return data;
}

function bytesOf(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
