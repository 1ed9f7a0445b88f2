// Keeps graphs that the tests of the operators make as vectors for other engines: `MOTE_VECTORS=folder vitest run test/ops`
// writes a model, its input and its output for each operator with each kernel that comes by, once a test file.
// Invariant: does nothing without MOTE_VECTORS; what is written is the reference's, of no build of the core.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Graph, TensorData } from "../../tools/graph/graph.ts";
import { buildImage } from "../../tools/pack/image.ts";
import { packGraph } from "../../tools/pack/pack.ts";

const folder = process.env.MOTE_VECTORS;
export const isRecording = folder !== undefined;

const TIMES = 1;
const MOST_BYTES = 100_000;
const seen = new Map<string, number>();

const joined = (data: readonly TensorData[]): Buffer =>
  Buffer.concat(data.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)));

export function record(graph: Graph, inputs: readonly TensorData[], outputs: readonly TensorData[]): void {
  const kinds = new Set(buildImage(graph).lowered.steps.map(({ op, kernel = 0 }) => `${op}.${kernel}`));
  const rare = [...kinds].find((kind) => (seen.get(kind) ?? 0) < TIMES);
  if (rare === undefined) return;
  let bytes: Uint8Array;
  try {
    bytes = packGraph(graph, { source: "test", sourceBytes: new Uint8Array() }).bytes;
  } catch {
    return; // a dtype that no input or output of a file may have
  }
  if (bytes.length > MOST_BYTES) return;
  for (const kind of kinds) seen.set(kind, (seen.get(kind) ?? 0) + 1);
  const id = createHash("sha256").update(bytes).digest("hex").slice(0, 8);
  const path = join(folder!, `${graph.name}-${rare}-${id}`);
  writeFileSync(`${path}.in`, joined(inputs));
  writeFileSync(`${path}.out`, joined(outputs));
  writeFileSync(`${path}.mote`, bytes);
}
