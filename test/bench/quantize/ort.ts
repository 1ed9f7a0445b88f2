// ONNX Runtime's static quantization of a float net, by ort.py: writes the net and the inputs where it finds them, and reads what
// its quantized models gave. Invariant: skipped, with the reason, where Python has no onnxruntime and onnx.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Graph } from "../../../tools/graph/graph.ts";
import type { Inputs } from "./inputs.ts";

const SCRIPT = fileURLToPath(new URL("ort.py", import.meta.url));
export const METHODS = ["minmax", "entropy", "percentile"] as const;

export interface OrtResult {
  readonly version: string;
  /** outputs for the held-out inputs, by calibration method; "float" is its float net */
  readonly outputs: ReadonlyMap<string, Float32Array[]>;
}

/** `python`: a program with onnxruntime and onnx; a sentence why not, where it has none. */
export function quantizeByOrt(graph: Graph, inputs: Inputs, python: string): OrtResult | string {
  try {
    execFileSync(python, ["-c", "import onnxruntime.quantization, onnx"], { stdio: "ignore" });
  } catch {
    return `${python} has no onnxruntime and onnx: pip install onnxruntime onnx, and name it with PYTHON=`;
  }
  const folder = mkdtempSync(join(tmpdir(), "mote-ort-"));
  try {
    writeNet(folder, graph, inputs);
    const log = execFileSync(python, [SCRIPT, folder], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const { onnxruntime } = JSON.parse(log.trim().split("\n").at(-1)!) as { onnxruntime: string };
    const read = (name: string): Float32Array[] => {
      const bytes = readFileSync(join(folder, `${name}.out`));
      const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
      const size = all.length / inputs.held.length;
      return inputs.held.map((_, i) => all.subarray(i * size, (i + 1) * size));
    };
    return { version: onnxruntime, outputs: new Map(["float", ...METHODS].map((name) => [name, read(name)])) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function writeNet(folder: string, graph: Graph, inputs: Inputs): void {
  const dump = (name: string, data: Float32Array): string => {
    writeFileSync(join(folder, name), new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return name;
  };
  const joined = (list: readonly Float32Array[]): Float32Array => {
    const all = new Float32Array(list.length * list[0]!.length);
    for (const [i, one] of list.entries()) all.set(one, i * one.length);
    return all;
  };
  const at = (id: number | undefined) => (id === undefined || id < 0 ? undefined : graph.tensors[id]);
  const nodes = graph.nodes.map((node, i) => {
    const [weights, bias] = [at(node.inputs[1]), at(node.inputs[2])];
    const { shape } = graph.tensors[node.inputs[0]!]!;
    return {
      op: node.op,
      inputs: node.inputs.filter((id) => !graph.tensors[id]!.data),
      output: node.outputs[0],
      attrs: node.attrs,
      cells: shape.length === 4 ? shape[1]! * shape[2]! : 1,
      ...(weights?.data && { weights: dump(`w${i}.bin`, weights.data as Float32Array), weightShape: weights.shape }),
      ...(bias?.data && { bias: dump(`b${i}.bin`, bias.data as Float32Array) }),
    };
  });
  const port = (id: number) => ({ id, shape: graph.tensors[id]!.shape });
  const meta = {
    input: port(graph.inputs[0]!),
    output: port(graph.outputs[0]!),
    calibration: inputs.calibration.length,
    held: inputs.held.length,
    nodes,
  };
  // JSON has no infinities: an open bound is null
  const finite = (_: string, value: unknown): unknown =>
    typeof value === "number" && !Number.isFinite(value) ? null : value;
  writeFileSync(join(folder, "graph.json"), JSON.stringify(meta, finite));
  dump("calibration.bin", joined(inputs.calibration));
  dump("held.bin", joined(inputs.held));
}
