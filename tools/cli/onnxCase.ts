// One ONNX node case: a folder with model.onnx and test_data_set_0, through the importer, the packer and the core.
// Invariant: an input is bound as a constant only where the importer says that a plan needs it beforehand (weights,
// shapes, scales); every other input is fed to the session. Integers must be exact.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type BuildName, loadModel } from "../../host/targets/node.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type Graph } from "../graph/graph.ts";
import { type FileTensor, readOnnx, readTensor } from "../import/onnx/file.ts";
import { importOnnxModel } from "../import/onnx/model.ts";
import { ImportError } from "../import/onnx/obstacle.ts";
import { isFloatType, type Numbers, numbersOf, TYPE, typeName } from "../import/onnx/tensors.ts";
import { packGraph } from "../pack/pack.ts";

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** The tolerance of ONNX's own suite. */
export const SUITE: Tolerance = { rtol: 1e-3, atol: 1e-7 };

export interface CaseResult {
  readonly outcome: "passed" | "refused" | "failed";
  /** why it was refused or failed; for a pass, the greatest difference */
  readonly detail: string;
  /** ONNX operators of the model, with the opset */
  readonly operators: readonly string[];
  readonly opset: number;
  readonly precision: string;
}

async function tensorsIn(folder: string, kind: "input" | "output", count: number): Promise<FileTensor[]> {
  const files = Array.from({ length: count }, (_, i) => join(folder, "test_data_set_0", `${kind}_${i}.pb`));
  return Promise.all(files.map(async (file) => readTensor(await readFile(file), file)));
}

export async function runCase(folder: string, tolerance: Tolerance, build: BuildName): Promise<CaseResult> {
  let about = { operators: [] as string[], opset: 0, precision: "" };
  const result = (outcome: CaseResult["outcome"], detail: string): CaseResult => ({ outcome, detail, ...about });
  try {
    const bytes = await readFile(join(folder, "model.onnx"));
    const file = readOnnx(bytes, "model.onnx");
    about = {
      operators: [...new Set(file.nodes.map(({ opType, domain }) => (domain ? `${domain}:${opType}` : opType)))],
      opset: file.opsets.get("") ?? 0,
      precision: file.inputs.map(({ type }) => typeName(type?.tensorType?.elemType ?? 0)).join(", "),
    };
    const given = await tensorsIn(folder, "input", file.inputs.length);
    const inputs = new Map(file.inputs.map(({ name }, i) => [name, given[i]!]));
    const { graph, bound } = importBinding(bytes, inputs, folder);
    const names = file.inputs.map(({ name }) => name).filter((name) => !bound.has(name));
    const expected = await tensorsIn(folder, "output", file.outputs.length);
    const { bytes: packed } = packGraph(graph, { source: "model.onnx", sourceBytes: bytes });
    const model = await loadModel(packed);
    const session = await model.createSession({ build });
    const feeds = Object.fromEntries(
      names.map((name, i) => [graph.tensors[graph.inputs[i]!]!.name, feedOf(graph, i, inputs.get(name)!)]),
    );
    const outputs = Object.values(session.run(feeds)) as ArrayLike<number>[];
    session.dispose();
    let worst = 0;
    for (const [i, tensor] of expected.entries()) {
      const want = numbersOf(tensor, `output ${i}`);
      const difference = compare(outputs[i]!, want, tolerance);
      if (typeof difference === "string") return result("failed", `output ${i}: ${difference}`);
      worst = Math.max(worst, difference);
    }
    return result("passed", worst === 0 ? "exact" : `within ${worst.toExponential(1)}`);
  } catch (error) {
    if (error instanceof ToolError) return result("refused", error.message);
    return result("failed", error instanceof Error ? error.message : String(error));
  }
}

/** Imports, binding what the importer asks for until it asks no more. */
function importBinding(
  bytes: Uint8Array,
  inputs: ReadonlyMap<string, FileTensor>,
  folder: string,
): { graph: Graph; bound: ReadonlyMap<string, FileTensor> } {
  const bound = new Map<string, FileTensor>();
  for (;;) {
    try {
      return { graph: importOnnxModel(bytes, "model.onnx", { bound, folder }), bound };
    } catch (error) {
      if (!(error instanceof ImportError)) throw error;
      const needed = error.reasons.flatMap(({ needs }) => needs).filter((name) => inputs.has(name) && !bound.has(name));
      if (needed.length === 0) throw error;
      for (const name of needed) bound.set(name, inputs.get(name)!);
    }
  }
}

/** The port's array: the numbers as the carrier of their type, quantized ones as they are. */
function feedOf(graph: Graph, port: number, tensor: FileTensor) {
  const { dtype } = graph.tensors[graph.inputs[port]!]!;
  const { data, type } = numbersOf(tensor, tensor.name);
  if (dtype === "float32" || (graph.edges?.has(graph.inputs[port]!) && isFloatType(type)))
    return Float32Array.from(data);
  if (dtype === "int8") return Int8Array.from(data);
  if (dtype === "uint8") return Uint8Array.from(data);
  if (dtype === "int16") return Int16Array.from(data);
  return Int32Array.from(data);
}

/** The greatest difference, or what is wrong. */
function compare(got: ArrayLike<number>, want: Numbers, { rtol, atol }: Tolerance): number | string {
  if (got.length !== elementCount(want.shape))
    return `${got.length} values, expected ${elementCount(want.shape)} [${want.shape}]`;
  let worst = 0;
  const exact = !isFloatType(want.type);
  // what is stated in fewer bits is rounded to them; here it is carried as float32
  const own = rtol + (want.type === TYPE.bfloat16 ? 2 ** -8 : want.type === TYPE.float16 ? 2 ** -11 : 0);
  for (let i = 0; i < got.length; i++) {
    const [a, b] = [got[i]!, want.data[i]!];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    const difference = Math.abs(a - b);
    if (exact || !(difference <= atol + own * Math.abs(b)))
      return `value ${i} is ${a}, expected ${b} (${typeName(want.type)})`;
    worst = Math.max(worst, difference);
  }
  return worst;
}
