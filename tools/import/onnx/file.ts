// An ONNX file as the importer sees it, decoded and checked: what protobuf gave, with defaults filled in.
// Invariant: whatever `readOnnx` returns has nodes in an order in which every input is known before it is read.

import { createRequire } from "node:module";
import type { Root as ProtobufRoot } from "protobufjs";
import { ToolError } from "../../errors.ts";
import { SCHEMA } from "./schema.ts";

const protobuf = createRequire(import.meta.url)("protobufjs/light.js") as typeof import("protobufjs");

export interface FileTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly rawData: Uint8Array;
  readonly floatData: readonly number[];
  readonly int32Data: readonly number[];
  readonly int64Data: readonly number[];
  readonly doubleData: readonly number[];
  readonly uint64Data: readonly number[];
  readonly externalData: readonly { readonly key: string; readonly value: string }[];
  readonly dataLocation: number;
}

export interface FileAttribute {
  readonly name: string;
  readonly f: number;
  readonly i: number;
  readonly s: Uint8Array;
  readonly t?: FileTensor | null;
  readonly g?: unknown;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly strings: readonly Uint8Array[];
}

export interface FileNode {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly FileAttribute[];
}

export interface FileValue {
  readonly name: string;
  readonly type?: {
    readonly tensorType?: { readonly elemType: number; readonly shape?: FileShape | null } | null;
  } | null;
}

export interface FileShape {
  readonly dim: readonly { readonly dimValue: number; readonly dimParam: string }[];
}

export interface OnnxFile {
  readonly name: string;
  readonly producer: string;
  /** by domain; "" is ONNX's own */
  readonly opsets: ReadonlyMap<string, number>;
  readonly nodes: readonly FileNode[];
  readonly initializers: ReadonlyMap<string, FileTensor>;
  readonly inputs: readonly FileValue[];
  readonly outputs: readonly FileValue[];
}

const MOST_NODES = 200_000;
let root: ProtobufRoot | undefined;

function messageType(name: string) {
  root ??= protobuf.Root.fromJSON(SCHEMA);
  return root.lookupType(name);
}

/** Decodes one message; int64 becomes a number. Throws BAD_FILE where the bytes are no such message. */
function decode(bytes: Uint8Array, message: string, fileName: string): Record<string, unknown> {
  try {
    const type = messageType(message);
    return type.toObject(type.decode(bytes), { longs: Number, defaults: true, arrays: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ToolError(
      "BAD_FILE",
      `${fileName} is no ONNX ${message}: ${why}; the file is damaged or cut short, export it again.`,
    );
  }
}

/** A lone tensor: what the data files of ONNX's test cases hold. */
export function readTensor(bytes: Uint8Array, fileName: string): FileTensor {
  return decode(bytes, "TensorProto", fileName) as unknown as FileTensor;
}

export function readOnnx(bytes: Uint8Array, fileName: string): OnnxFile {
  const model = decode(bytes, "ModelProto", fileName) as {
    irVersion: number;
    producerName: string;
    opsetImport: { domain: string; version: number }[];
    functions: { name: string }[];
    graph: null | {
      node: FileNode[];
      initializer: FileTensor[];
      input: FileValue[];
      output: FileValue[];
      sparseInitializer: unknown[];
    };
  };
  const { graph } = model;
  if (!graph) throw new ToolError("BAD_FILE", `${fileName} is an ONNX model without a graph; export it again.`);
  if (graph.output.length === 0)
    throw new ToolError("BAD_FILE", `${fileName} has a graph without outputs; export it again.`);
  if (graph.node.length > MOST_NODES)
    throw new ToolError("BAD_FILE", `${fileName} has ${graph.node.length} nodes but at most ${MOST_NODES} are read.`);
  if (graph.sparseInitializer.length > 0) {
    throw new ToolError(
      "UNSUPPORTED",
      `${fileName} holds sparse initializers, which are not read; export the model with dense ones.`,
    );
  }
  const initializers = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const inputs = graph.input.filter(({ name }) => !initializers.has(name));
  const known = new Set<string>([...initializers.keys(), ...inputs.map(({ name }) => name)]);
  return {
    name: fileName,
    producer: model.producerName,
    opsets: new Map(model.opsetImport.map(({ domain, version }) => [domain === "ai.onnx" ? "" : domain, version])),
    nodes: inOrder(graph.node, known, fileName),
    initializers,
    inputs,
    outputs: graph.output,
  };
}

/** What to call a node in a message. */
export function nodeName({ name, output, opType }: FileNode): string {
  return name || output.find((value) => value !== "") || opType;
}

/** The nodes so that each comes after what it reads. Throws BAD_FILE for a cycle or a value that nothing gives. */
function inOrder(nodes: readonly FileNode[], known: Set<string>, fileName: string): FileNode[] {
  const producers = new Map<string, number>();
  for (const [i, node] of nodes.entries()) {
    for (const value of node.output) {
      if (value === "") continue;
      if (producers.has(value) || known.has(value)) {
        throw new ToolError(
          "BAD_FILE",
          `${fileName}: the value "${value}" is computed twice, the second time by "${nodeName(node)}"; export the model again.`,
        );
      }
      producers.set(value, i);
    }
  }
  const ordered: FileNode[] = [];
  const waiting = new Int32Array(nodes.length);
  const readers = new Map<number, number[]>();
  const ready: number[] = [];
  for (const [i, node] of nodes.entries()) {
    const sources = new Set<number>();
    for (const value of node.input) {
      if (value === "" || known.has(value)) continue;
      const producer = producers.get(value);
      if (producer === undefined) {
        throw new ToolError(
          "BAD_FILE",
          `${fileName}: ${node.opType} "${nodeName(node)}" reads "${value}", which is no input, no initializer and no other node's output; export the model again, with its weights.`,
        );
      }
      sources.add(producer);
    }
    waiting[i] = sources.size;
    for (const source of sources) readers.set(source, [...(readers.get(source) ?? []), i]);
    if (sources.size === 0) ready.push(i);
  }
  for (let at = 0; at < ready.length; at++) {
    const i = ready[at]!;
    ordered.push(nodes[i]!);
    for (const reader of readers.get(i) ?? []) if (--waiting[reader]! === 0) ready.push(reader);
  }
  if (ordered.length < nodes.length) {
    const stuck = nodes.find((_, i) => waiting[i]! > 0)!;
    throw new ToolError(
      "BAD_FILE",
      `${fileName}: the graph has a cycle through ${stuck.opType} "${nodeName(stuck)}"; a model must be acyclic, export it again.`,
    );
  }
  return ordered;
}
