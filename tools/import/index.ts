// From a model file of another framework to a Graph that the packer takes: read, import, passes.
// Invariant: any bytes give a Graph or a ToolError. The format is told by content, not by name.

import { ToolError } from "../errors.ts";
import { removeDeadCode } from "../graph/deadCode.ts";
import { fuseFloat } from "../graph/fuseFloat.ts";
import type { Graph } from "../graph/graph.ts";
import { runPasses } from "../graph/passes.ts";
import type { OnnxOptions } from "./onnx/import.ts";
import { importOnnxModel } from "./onnx/model.ts";
import { importTflite } from "./tflite/import.ts";
import { isTflite } from "./tflite/read.ts";

export type { OnnxOptions } from "./onnx/import.ts";
export { importTflite } from "./tflite/import.ts";

/**
 * `fileName` is for messages, and names the graph. `onnx`: dimensions to bind and the folder of external data. A float model
 * comes in as float; quantizeGraph makes it int8.
 */
export function importModel(bytes: Uint8Array, fileName: string, onnx: OnnxOptions = {}): Graph {
  if (isTflite(bytes)) return runPasses(fused(importTflite(bytes, fileName)));
  if (isOnnx(bytes, fileName)) return importOnnxModel(bytes, fileName, onnx);
  throw unknownFormat(bytes, fileName);
}

const fused = (graph: Graph): Graph =>
  graph.nodes.some(({ op }) => op === "floatConv" || op === "floatMatmul") ? fuseFloat(removeDeadCode(graph)) : graph;

function unknownFormat(bytes: Uint8Array, name: string): ToolError {
  const start = String.fromCharCode(...bytes.subarray(0, 8));
  const what = otherFormat(start);
  if (what !== undefined) {
    return new ToolError(
      "BAD_FILE",
      `${name} is ${what}, expected a TFLite or an ONNX model; convert it to .tflite or .onnx first.`,
    );
  }
  const got = bytes.length === 0 ? "is empty" : `starts with ${hex(bytes.subarray(0, 8))}`;
  return new ToolError(
    "BAD_FILE",
    `${name} ${got}, expected a TFLite model ("TFL3" at byte 4) or an ONNX model; give a .tflite or .onnx file.`,
  );
}

/** A protobuf whose first field is ir_version, a small number; then a producer's name or the graph. */
function isOnnx(bytes: Uint8Array, name: string): boolean {
  const looks = bytes[0] === 0x08 && (bytes[1] ?? 0) > 0 && (bytes[1] ?? 0) < 32;
  return looks && (/\.onnx$/i.test(name) || bytes[2] === 0x12 || bytes[2] === 0x3a || bytes[2] === 0x42);
}

function otherFormat(start: string): string | undefined {
  if (start.startsWith("MOTE")) return "a packed Mote model already";
  if (start.startsWith("\x89HDF")) return "an HDF5 file (Keras)";
  if (start.startsWith("PK")) return "a zip archive (Keras or PyTorch)";
  if (start.startsWith("GGUF")) return "a GGUF model";
  return undefined;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
