// TFLite bytes → Graph, before any pass. Invariant: either the whole model is in the graph, or one
// ToolError names every obstacle in it.

import type { Graph, Tensor } from "../../graph/graph.ts";
import { GraphBuilder } from "./builder.ts";
import { type FileOperator, quoted, type TfliteFile } from "./file.ts";
import { Names } from "./names.ts";
import { Obstacle, obstacleError } from "./obstacle.ts";
import { OperatorContext } from "./operator.ts";
import { floatImporter } from "./ops/float.ts";
import { IMPORTERS } from "./ops/registry.ts";
import { checkOrder } from "./order.ts";
import { readTflite } from "./read.ts";
import { foldShape } from "./shapeMath.ts";

/** `fileName` is for messages, and names the graph. */
export function importTflite(bytes: Uint8Array, fileName: string): Graph {
  const file = readTflite(bytes, fileName);
  checkOrder(file);
  const builder = new GraphBuilder(file);
  const obstacles: Obstacle[] = [];
  const attempt = <T>(step: () => T): T | undefined => {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof Obstacle)) throw error;
      obstacles.push(error);
      return undefined;
    }
  };
  // Ports first: their ids are then 0, 1, …, also when nothing reads them.
  const inputs = file.inputs.map((index) => attempt(() => builder.operand(index, "the model's input").id) ?? -1);
  for (const operator of file.operators) attempt(() => importOperator(builder, operator));
  const outputs = file.outputs.map((index) => attempt(() => outputPort(builder, index)) ?? -1);
  if (obstacles.length > 0) throw obstacleError(fileName, obstacles);
  const ports = [...new Set([...inputs, ...outputs])];
  const tensors = withUniqueNames(builder.tensors, ports);
  return { name: graphName(file), tensors, nodes: builder.nodes, inputs, outputs };
}

function outputPort(builder: GraphBuilder, index: number): number {
  if (builder.knownInts(index) !== undefined) {
    const what = `the model's output ${quoted(builder.fileTensor(index).name)} is a shape known beforehand`;
    throw new Obstacle("UNSUPPORTED", what, "leave it out of the model");
  }
  return builder.operand(index, "the model's output").id;
}

function importOperator(builder: GraphBuilder, operator: FileOperator): void {
  const op = new OperatorContext(builder, operator);
  if (foldShape(op, operator.builtin)) return;
  const importer = floatImporter(op, operator.builtin) ?? IMPORTERS.get(operator.builtin);
  if (importer === undefined) {
    const [output] = operator.outputs;
    const where = output === undefined ? "" : `, which computes tensor ${output},`;
    throw op.unsupported(`of version ${operator.version}${where} is not supported`);
  }
  importer(op);
}

/** Callers address inputs and outputs by name. */
function withUniqueNames(tensors: readonly Tensor[], ports: readonly number[]): Tensor[] {
  const named = [...tensors];
  const names = new Names();
  for (const id of ports) {
    const tensor = named[id];
    if (tensor === undefined) throw new Error(`port ${id} has no tensor`);
    named[id] = { ...tensor, name: names.take(tensor.name) };
  }
  return named;
}

function graphName(file: TfliteFile): string {
  const base = file.name.split(/[/\\]/).at(-1) ?? file.name;
  return base.replace(/\.tflite$/i, "");
}
