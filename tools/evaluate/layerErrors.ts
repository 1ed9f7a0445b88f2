// Which layer did it: the tensors of one graph against those of the same names in another, twice. Accumulated: both graphs run
// from the input on. Alone: each layer of the second gets the first one's values as inputs, so that only its own error is left.
// Invariant: both run on the core; errors are over all inputs together; tensors without a namesake are passed over.

import { ToolError } from "../errors.ts";
import { elementCount, type Graph, type Node, type Tensor, type TensorData } from "../graph/graph.ts";
import { roundEven } from "../ops/quantization.ts";
import { CoreRun } from "./coreRun.ts";

export interface Closeness {
  /** 10 · log₁₀ of the signal's power over the error's, in dB; Infinity where there is no error */
  readonly sqnr: number;
  /** of the angle between both, 1 where they point the same way */
  readonly cosine: number;
}

export interface LayerError {
  readonly layer: string;
  readonly op: string;
  readonly tensor: string;
  readonly accumulated: Closeness;
  readonly alone: Closeness;
}

export interface Comparison {
  readonly layers: readonly LayerError[];
  readonly outputs: readonly Closeness[];
  /** part of the inputs for which the first output's greatest value is at the same place */
  readonly agreement: number;
  readonly inputs: number;
}

/** Sums of squares and products; every pair of arrays adds to them. */
export class Difference {
  #signal = 0;
  #other = 0;
  #error = 0;
  #product = 0;

  add(reference: ArrayLike<number>, values: ArrayLike<number>): void {
    for (let i = 0; i < reference.length; i++) {
      const [r, v] = [reference[i]!, values[i]!];
      this.#signal += r * r;
      this.#other += v * v;
      this.#error += (r - v) ** 2;
      this.#product += r * v;
    }
  }

  get closeness(): Closeness {
    const [signal, other] = [this.#signal, this.#other];
    const sqnr = this.#error === 0 ? Infinity : signal === 0 ? -Infinity : 10 * Math.log10(signal / this.#error);
    const cosine = signal === 0 && other === 0 ? 1 : this.#product / Math.sqrt(signal * other || 1);
    return { sqnr, cosine };
  }
}

/** The real values of a tensor's data. */
export function realsOf({ quant }: Tensor, data: TensorData): Float32Array {
  if (!quant) return Float32Array.from(data as ArrayLike<number>, Number);
  const [scale, zero] = [quant.scale[0]!, quant.zeroPoint[0]!];
  return Float32Array.from(data as ArrayLike<number>, (q) => scale * (Number(q) - zero));
}

/** Real values as the data that a tensor takes. */
export function dataOf({ dtype, quant }: Tensor, reals: Float32Array): TensorData {
  if (dtype === "float32") return reals;
  if (dtype === "int32") return Int32Array.from(reals);
  const [low, high] = dtype === "uint8" ? [0, 255] : dtype === "int16" ? [-32768, 32767] : [-128, 127];
  const { scale, zeroPoint } = quant!;
  const round = (v: number): number =>
    Math.min(high, Math.max(low, roundEven(Math.fround(v / scale[0]!)) + zeroPoint[0]!));
  if (dtype === "uint8") return Uint8Array.from(reals, round);
  return dtype === "int16" ? Int16Array.from(reals, round) : Int8Array.from(reals, round);
}

interface Pair {
  readonly node: Node;
  readonly first: number;
  readonly second: number;
  readonly alone: { readonly run: CoreRun; readonly inputs: readonly number[] } | undefined;
}

/** `inputs`: real values, one array an input of both graphs. Throws BAD_INPUT where the graphs take other inputs. */
export function compareGraphs(first: Graph, second: Graph, inputs: readonly (readonly Float32Array[])[]): Comparison {
  checkPorts(first, second);
  const pairs = pairTensors(first, second);
  const runs = [
    new CoreRun({ ...first, outputs: [...pairs.map((pair) => pair.first), ...first.outputs] }),
    new CoreRun({ ...second, outputs: [...pairs.map((pair) => pair.second), ...second.outputs] }),
  ] as const;
  const accumulated = pairs.map(() => new Difference());
  const alone = pairs.map(() => new Difference());
  const outputs = first.outputs.map(() => new Difference());
  let agreed = 0;
  for (const set of inputs) {
    const feed = (graph: Graph): TensorData[] => graph.inputs.map((id, i) => dataOf(graph.tensors[id]!, set[i]!));
    const [a, b] = [runs[0].run(feed(first)), runs[1].run(feed(second))];
    const known = new Map<number, Float32Array>(second.inputs.map((id, i) => [id, set[i]!]));
    const reals = pairs.map((pair, i) => realsOf(first.tensors[pair.first]!, a[i]!));
    for (const [i, pair] of pairs.entries()) known.set(pair.second, reals[i]!);
    for (const [i, pair] of pairs.entries()) {
      const tensor = second.tensors[pair.second]!;
      accumulated[i]!.add(reals[i]!, realsOf(tensor, b[i]!));
      if (!pair.alone) continue;
      const given = pair.alone.inputs.map((id) => dataOf(second.tensors[id]!, known.get(id)!));
      alone[i]!.add(reals[i]!, realsOf(tensor, pair.alone.run.run(given)[0]!));
    }
    const ends = first.outputs.map((id, o) => {
      const [x, y] = [
        realsOf(first.tensors[id]!, a[pairs.length + o]!),
        realsOf(second.tensors[second.outputs[o]!]!, b[pairs.length + o]!),
      ];
      outputs[o]!.add(x, y);
      return greatest(x) === greatest(y);
    });
    if (ends[0]) agreed++;
  }
  return {
    layers: pairs.map(({ node, second: id }, i) => ({
      layer: node.name,
      op: node.op,
      tensor: second.tensors[id]!.name,
      accumulated: accumulated[i]!.closeness,
      alone: alone[i]!.closeness,
    })),
    outputs: outputs.map(({ closeness }) => closeness),
    agreement: agreed / inputs.length,
    inputs: inputs.length,
  };
}

const greatest = (values: Float32Array): number => values.reduce((best, v, i) => (v > values[best]! ? i : best), 0);

function checkPorts(first: Graph, second: Graph): void {
  const shapes = (graph: Graph, ids: readonly number[]): string =>
    ids.map((id) => `[${graph.tensors[id]!.shape}]`).join(", ");
  for (const side of ["inputs", "outputs"] as const) {
    const [a, b] = [shapes(first, first[side]), shapes(second, second[side])];
    if (a !== b)
      throw new ToolError(
        "BAD_INPUT",
        `the ${side} of ${first.name} are ${a} and those of ${second.name} ${b}; compare models of one net.`,
      );
  }
}

/** Tensors that nodes of both graphs write, by name; what shares values with its input (a reshape) is left out. */
function pairTensors(first: Graph, second: Graph): Pair[] {
  const written = new Map(first.nodes.flatMap(({ outputs }) => outputs.map((id) => [first.tensors[id]!.name, id])));
  const comparable = (graph: Graph, id: number): boolean =>
    ["float32", "int8", "uint8", "int16"].includes(graph.tensors[id]!.dtype);
  const found = second.nodes.flatMap((node) => {
    if (node.op === "reshape" || node.op === "quantize" || node.op === "dequantize") return [];
    return node.outputs.flatMap((id) => {
      const tensor = second.tensors[id]!;
      const other = written.get(tensor.name);
      if (other === undefined || !comparable(first, other) || !comparable(second, id)) return [];
      if (elementCount(first.tensors[other]!.shape) !== elementCount(tensor.shape)) return [];
      return [{ node, first: other, second: id }];
    });
  });
  const given = new Set([...second.inputs, ...found.map((pair) => pair.second)]);
  return found.map((pair) => ({ ...pair, alone: aloneRun(second, pair.second, given) }));
}

/** The nodes between the nearest given tensors and `target`, as a graph of their own. */
function aloneRun(graph: Graph, target: number, given: ReadonlySet<number>): Pair["alone"] {
  const needed = new Set([target]);
  const inputs = new Set<number>();
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((id) => needed.has(id))) continue;
    nodes.unshift(node);
    for (const id of node.inputs) {
      if (id < 0 || graph.tensors[id]!.data) continue;
      if (given.has(id)) inputs.add(id);
      else needed.add(id);
    }
  }
  if (inputs.size === 0 || (graph.states ?? []).some(({ input }) => needed.has(input))) return undefined;
  const list = [...inputs];
  const { states: _, edges: __, ...rest } = graph;
  return { run: new CoreRun({ ...rest, nodes, inputs: list, outputs: [target] }), inputs: list };
}
