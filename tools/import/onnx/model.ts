// An ONNX file as a graph that the packer takes: imported, then quantized operators joined and float ones fused.

import { removeDeadCode } from "../../graph/deadCode.ts";
import { fuseFloat } from "../../graph/fuseFloat.ts";
import { fuseQuantized } from "../../graph/fuseQuantized.ts";
import type { Graph } from "../../graph/graph.ts";
import { runPasses } from "../../graph/passes.ts";
import { importOnnx, type OnnxOptions } from "./import.ts";

export function importOnnxModel(bytes: Uint8Array, fileName: string, options: OnnxOptions = {}): Graph {
  return runPasses(fuseQuantized(fuseFloat(removeDeadCode(importOnnx(bytes, fileName, options)))));
}
