// The inputs in a calibration folder. A model of one input: each .npy or .bin file is one set; of several inputs: a
// folder for each, named as the input is, whose files are paired in the order of their names.
// Invariant: every array has the values that the graph's input asks for, as float32 or int32.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readNpy } from "../data/npy.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type Graph, type TensorData } from "../graph/graph.ts";

async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new ToolError(
      "BAD_INPUT",
      `the calibration data ${folder} cannot be read; give a folder of .npy or .bin files.`,
      { cause },
    );
  });
  return names
    .filter((name) => /\.(npy|bin)$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

async function arrayOf(path: string, dtype: string, count: number): Promise<TensorData> {
  const bytes = await readFile(path);
  const aligned = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const given: ArrayLike<number> = path.endsWith(".npy")
    ? readNpy(bytes, path).data
    : aligned.byteLength % 4 === 0
      ? dtype === "int32"
        ? new Int32Array(aligned)
        : new Float32Array(aligned)
      : [];
  if (given.length !== count)
    throw new ToolError(
      "BAD_INPUT",
      `${path} holds ${given.length} values but the input takes ${count}; give one input a file, as float32.`,
    );
  return dtype === "int32" ? Int32Array.from(given) : Float32Array.from(given);
}

export async function calibrationInputs(graph: Graph, folder: string): Promise<TensorData[][]> {
  const ports = graph.inputs.map((id) => graph.tensors[id]!);
  const lists = await Promise.all(ports.map(({ name }) => filesIn(ports.length === 1 ? folder : join(folder, name))));
  const sets = Math.min(...lists.map((list) => list.length));
  if (sets === 0)
    throw new ToolError(
      "BAD_INPUT",
      `${folder} holds no .npy or .bin file${ports.length > 1 ? " for each input" : ""}; give some inputs to calibrate with.`,
    );
  return Promise.all(
    Array.from({ length: sets }, (_, i) =>
      Promise.all(ports.map(({ dtype, shape }, port) => arrayOf(lists[port]![i]!, dtype, elementCount(shape)))),
    ),
  );
}
