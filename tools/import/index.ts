// From a model file of another framework to a Graph that the packer takes: read, import, passes.
// Invariant: any bytes give a Graph or a ToolError. The format is told by content, not by name.

import { ToolError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { runPasses } from "../graph/passes.ts";
import { importTflite } from "./tflite/import.ts";
import { isTflite } from "./tflite/read.ts";

export { importTflite } from "./tflite/import.ts";

/** `fileName` is for messages, and names the graph. */
export function importModel(bytes: Uint8Array, fileName: string): Graph {
  if (!isTflite(bytes)) throw notTflite(bytes, fileName);
  return runPasses(importTflite(bytes, fileName));
}

function notTflite(bytes: Uint8Array, name: string): ToolError {
  const start = String.fromCharCode(...bytes.subarray(0, 8));
  const what = otherFormat(bytes, start, name);
  if (what !== undefined) {
    return new ToolError(
      "BAD_FILE",
      `${name} is ${what}, expected a TFLite model; convert it to .tflite with full-integer quantization first.`,
    );
  }
  const got = bytes.length === 0 ? "is empty" : `starts with ${hex(bytes.subarray(0, 8))}`;
  return new ToolError("BAD_FILE", `${name} ${got}, expected a TFLite model ("TFL3" at byte 4); give a .tflite file.`);
}

function otherFormat(bytes: Uint8Array, start: string, name: string): string | undefined {
  if (start.startsWith("MOTE")) return "a packed Mote model already";
  if (start.startsWith("\x89HDF")) return "an HDF5 file (Keras)";
  if (start.startsWith("PK")) return "a zip archive (Keras or PyTorch)";
  if (start.startsWith("GGUF")) return "a GGUF model";
  // A protobuf whose first field is ir_version, a small number; then a producer's name or the graph.
  const onnx = bytes[0] === 0x08 && (bytes[1] ?? 0) > 0 && (bytes[1] ?? 0) < 32;
  if (/\.onnx$/i.test(name) || (onnx && (bytes[2] === 0x12 || bytes[2] === 0x3a))) return "an ONNX model";
  return undefined;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
