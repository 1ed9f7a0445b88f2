// An integer graph as a layer to train: forward, every code is the one that the core computes; weights, biases and scales are
// parameters with straight-through gradients. Trained, it becomes a graph again. Invariant: the outputs of the layer are
// those of the graph that `toGraph` gives, example by example, where `mostSum` is below 2^24; what has no integer rule here
// is refused by name.
//
//   graph ─► layer: reals ─► codes ─► … ─► codes · scale (logits)         head (softmax …): in the core only
//     ▲                      weights, biases, scales: parameters, named after the nodes and tensors
//     └───────────────── toGraph(machine, trace) ◄─────────┘

import { ToolError } from "../../errors.ts";
import { elementCount, type Graph, type Node, type Quantization, type Tensor } from "../../graph/graph.ts";
import { clampRange, perTensor } from "../../ops/quantization.ts";
import type { Layer } from "../layers.ts";
import type { Machine } from "../machine.ts";
import * as ops from "../ops/index.ts";
import { biasCodes, quantizeReals, requantizeRows, weightCodes } from "../ops/integerRule.ts";
import type { Trace, Value } from "../trace.ts";
import { codeRule } from "./codeRules.ts";

/** An activation: codes are q − zero point. */
interface Integers {
  readonly codes: Value;
  readonly scale: Value;
  readonly zero: number;
}

/** What of a product is learned. */
interface Learned {
  readonly node: Node;
  readonly codes: Value;
  readonly scale: Value;
  readonly bias: Value | undefined;
}

/** What one trace holds of the net. */
interface Traced {
  readonly activations: Map<number, Integers>;
  readonly learned: Learned[];
}

export type IntegerProduct = Node<"conv2d" | "depthwiseConv2d" | "fullyConnected">;

const isProduct = (node: Node): node is IntegerProduct =>
  node.op === "conv2d" || node.op === "depthwiseConv2d" || node.op === "fullyConnected";
const HEADS: ReadonlySet<string> = new Set(["softmax", "logistic", "dequantize"]);
const CEILING: Readonly<Record<string, number>> = { none: Infinity, relu: Infinity, relu6: 6 };

export class IntegerNet {
  readonly graph: Graph;
  readonly layer: Layer;
  /** index of the first node that is left to the core: what comes after the scores */
  readonly head: number;
  /** real weights and biases before they were rounded, by tensor name, to start from instead of the rounded ones */
  readonly #start: ReadonlyMap<string, Float32Array>;
  readonly #traced = new WeakMap<Trace, Traced>();

  constructor(graph: Graph, start: ReadonlyMap<string, Float32Array> = new Map()) {
    if (graph.inputs.length !== 1 || graph.outputs.length !== 1)
      throw new ToolError(
        "UNSUPPORTED",
        `${graph.name} has ${graph.inputs.length} inputs and ${graph.outputs.length} outputs; integer training takes one of each.`,
      );
    this.graph = graph;
    this.#start = start;
    let head = graph.nodes.length;
    while (head > 0 && HEADS.has(graph.nodes[head - 1]!.op)) head--;
    this.head = head;
    this.layer = (x) => this.#express(x);
  }

  #express(x: Value): Value {
    const { graph } = this;
    const traced: Traced = { activations: new Map(), learned: [] };
    this.#traced.set(x.trace, traced);
    const input = graph.inputs[0]!;
    const { scale, zeroPoint } = perTensor(graph.tensors[input]!, "input");
    const fixed = constant(x.trace, "input.scale", [1], Float32Array.of(scale));
    const codes = quantizeReals(x, fixed, -128 - zeroPoint, 127 - zeroPoint);
    traced.activations.set(input, { codes, scale: fixed, zero: zeroPoint });
    let last = input;
    for (const node of graph.nodes.slice(0, this.head)) {
      last = node.outputs[0]!;
      const made = this.#node(node, traced, x.shape[0]!);
      traced.activations.set(last, made);
      x.trace.mark(node.name, reals(made.codes, made.scale));
    }
    const { codes: scores, scale: unit } = traced.activations.get(last)!;
    return ops.reshape(reals(scores, unit), [x.shape[0]!, elementCount(scores.shape) / x.shape[0]!]);
  }

  #node(node: Node, traced: Traced, batch: number): Integers {
    const x = traced.activations.get(node.inputs[0]!);
    if (!x) throw refusal(node, "reads what is not made from the input");
    if (isProduct(node)) return this.#product(node, x, traced, batch);
    switch (node.op) {
      case "maxPool2d": {
        const { kernelH, kernelW, strideH, strideW, padding, activation } = node.attrs;
        if (kernelH !== kernelW || strideH !== strideW || activation !== "none")
          throw refusal(node, "has a window or activation that training does not take");
        return { ...x, codes: ops.maxPool2d(x.codes, kernelH, { stride: strideH, padding }) };
      }
      case "reshape":
        return { ...x, codes: ops.reshape(x.codes, [batch, ...this.graph.tensors[node.outputs[0]!]!.shape.slice(1)]) };
      default:
        throw refusal(node, "has no rule for integer training");
    }
  }

  #product(node: IntegerProduct, x: Integers, traced: Traced, batch: number): Integers {
    const { tensors } = this.graph;
    const [, w, b = -1] = node.inputs as [number, number, number?];
    const [weights, output] = [tensors[w]!, tensors[node.outputs[0]!]!];
    const { quant } = weights;
    if (!weights.data || weights.dtype !== "int8" || !quant || quant.groupSize !== undefined)
      throw refusal(node, "needs int8 weights with a scale a channel (no groups of inputs)");
    if (quant.zeroPoint.some((zero) => zero !== 0)) throw refusal(node, "has weights with zero points");
    const isDepthwise = node.op === "depthwiseConv2d";
    const channels = weights.shape[isDepthwise ? 3 : 0]!;
    const inner = isDepthwise ? 1 : elementCount(weights.shape) / channels;
    const { trace } = x.codes;
    const each = (list: ArrayLike<number>): Float32Array =>
      Float32Array.from({ length: channels }, (_, c) => list[list.length === 1 ? 0 : c]!);
    const scales = each(quant.scale);
    const rule = codeRule(weights);
    const own = trace.parameter(
      trace.parameters.declare(
        weights.name,
        weights.shape,
        () =>
          this.#start.get(weights.name) ??
          Float32Array.from(weights.data as Int8Array, (q, i) => q * scales[Math.floor(i / inner) % channels]!),
        { decays: true },
      ),
    );
    const table = constant(trace, `${node.name}.codes`, [256], rule.table);
    const scale = learnedScale(trace, `${node.name}.weightScale`, scales);
    const codes = weightCodes(own, scale, table, rule, inner);
    const bias = b < 0 ? undefined : this.#bias(tensors[b]!, each, scales, x, scale);
    const sums = this.#sums(node, x.codes, codes, bias, batch);
    const { scale: out, zeroPoint } = perTensor(output, node.name);
    const sy = learnedScale(trace, `${node.name}.scale`, Float32Array.of(out));
    const [low, high] = clampRange(
      node.attrs.activation === "relu6" ? "relu" : node.attrs.activation,
      output,
      node.name,
    );
    const ceiling = CEILING[node.attrs.activation];
    if (ceiling === undefined) throw refusal(node, `has the activation ${node.attrs.activation}`);
    const bounds = { low: low - zeroPoint, high: high - zeroPoint, ceiling };
    traced.learned.push({ node, codes, scale, bias });
    return { codes: requantizeRows(sums, x.scale, scale, sy, bounds), scale: sy, zero: zeroPoint };
  }

  #bias(
    bias: Tensor,
    each: (list: ArrayLike<number>) => Float32Array,
    scales: Float32Array,
    x: Integers,
    scale: Value,
  ): Value {
    const { trace } = x.codes;
    const from = this.graph.tensors[this.#tensorOf(x, trace)]!.quant!.scale[0]!;
    const own = trace.parameters.declare(
      bias.name,
      [scales.length],
      () => this.#start.get(bias.name) ?? each(bias.data as Int32Array).map((q, c) => q * from * scales[c]!),
    );
    return biasCodes(trace.parameter(own), x.scale, scale);
  }

  #tensorOf(x: Integers, trace: Trace): number {
    return [...this.#traced.get(trace)!.activations].find(([, known]) => known === x)![0];
  }

  #sums(node: IntegerProduct, x: Value, w: Value, b: Value | undefined, batch: number): Value {
    if (node.op === "fullyConnected") {
      const inputs = w.shape[1]!;
      const rows = x.shape.length === 2 && x.shape[1] === inputs ? x : ops.reshape(x, [batch, inputs]);
      return ops.dense(rows, w, b);
    }
    const { strideH, strideW, dilationH, dilationW, padding } = node.attrs;
    if (strideH !== strideW || dilationH !== dilationW) throw refusal(node, "has unequal strides");
    const options = { stride: strideH, dilation: dilationH, padding };
    if (node.op === "conv2d") return ops.conv2d(x, w, b, options);
    if (node.attrs.multiplier !== 1) throw refusal(node, "has a channel multiplier");
    return ops.depthwiseConv2d(x, w, b, options);
  }

  /** Of each product its weights' codes, scale and bias as `machine` has them now, in `trace`. */
  #read(machine: Machine, trace: Trace) {
    const traced = this.#traced.get(trace);
    if (!traced) throw new Error("the trace is not of this net");
    const scales = [...new Set([...traced.activations.values()].map(({ scale }) => scale))];
    const values = traced.learned.flatMap(({ codes, scale, bias }) => [codes, scale, ...(bias ? [bias] : [])]);
    const program = machine.compile(trace, { outputs: [...values, ...scales] });
    program.run();
    return { traced, get: (value: Value): Float32Array => program.get(value) };
  }

  /** The graph with what was learned: packs to a model that says what the layer says. */
  toGraph(machine: Machine, trace: Trace): Graph {
    const { traced, get } = this.#read(machine, trace);
    const tensors: Tensor[] = [...this.graph.tensors];
    for (const [id, { scale, zero }] of traced.activations) {
      const { quant: _, ...rest } = tensors[id]!;
      tensors[id] = {
        ...rest,
        quant: { scale: positive(get(scale), rest.name), zeroPoint: Int32Array.of(zero), axis: 0 },
      };
    }
    const nodes = [...this.graph.nodes];
    for (const { node, codes, scale, bias } of traced.learned) {
      const [x, w, b] = node.inputs as [number, number, number?];
      const unit = positive(get(scale), node.name);
      const quant: Quantization = {
        scale: unit,
        zeroPoint: new Int32Array(unit.length),
        axis: node.op === "depthwiseConv2d" ? 3 : 0,
      };
      const inputs = [x, tensors.push({ ...tensors[w]!, data: Int8Array.from(get(codes)), quant }) - 1];
      if (bias) inputs.push(tensors.push({ ...tensors[b!]!, data: Int32Array.from(get(bias)) }) - 1);
      nodes[nodes.indexOf(node)] = { ...node, inputs } as Node;
    }
    return { ...this.graph, tensors, nodes };
  }

  /** No sum of any input can be greater: below 2^24 the training core's float32 sums are exact. */
  mostSum(machine: Machine, trace: Trace): number {
    const { traced, get } = this.#read(machine, trace);
    let most = 0;
    for (const { node, codes, bias } of traced.learned) {
      const { zero } = traced.activations.get(node.inputs[0]!)!;
      const reach = Math.max(128 + zero, 127 - zero);
      const own = get(codes);
      const offsets = bias && get(bias);
      const isDepthwise = node.op === "depthwiseConv2d";
      const channels = codes.shape[isDepthwise ? 3 : 0]!;
      const sums = new Float64Array(channels).map((_, c) => Math.abs(offsets?.[c] ?? 0));
      own.forEach((q, i) => {
        sums[isDepthwise ? i % channels : Math.floor((i * channels) / own.length)]! += Math.abs(q) * reach;
      });
      most = Math.max(most, ...sums);
    }
    return most;
  }
}

const refusal = (node: Node, why: string): ToolError =>
  new ToolError(
    "UNSUPPORTED",
    `${node.name}: ${node.op} ${why}; integer training takes convolutions, dense layers, maximum pools and reshapes.`,
  );

const reals = (codes: Value, scale: Value): Value =>
  ops.reshape(ops.mul(ops.reshape(codes, [elementCount(codes.shape), 1]), scale), codes.shape);

function constant(trace: Trace, name: string, shape: readonly number[], data: Float32Array): Value {
  return trace.parameter(trace.parameters.declare(name, shape, () => data, { isStatistic: true }));
}

/** start · factor: the factor is what learns, so that one rate fits scales of every size. */
function learnedScale(trace: Trace, name: string, start: Float32Array): Value {
  const factor = trace.parameters.declare(name, [start.length], () => new Float32Array(start.length).fill(1));
  return ops.mul(trace.parameter(factor), constant(trace, `${name}.start`, [start.length], start));
}

function positive(scale: Float32Array, name: string): Float32Array {
  if (scale.every((value) => value > 0 && Number.isFinite(value))) return scale;
  throw new ToolError(
    "BAD_INPUT",
    `${name}: a learned scale is ${scale.find((v) => !(v > 0))}; train with a smaller rate.`,
  );
}

/** Real weights and biases of `graph` by tensor name: where a net with fewer bits starts from. */
export function realParameters(graph: Graph): ReadonlyMap<string, Float32Array> {
  const found = new Map<string, Float32Array>();
  for (const node of graph.nodes.filter(isProduct)) {
    const [x, w, b = -1] = node.inputs as [number, number, number?];
    const weights = graph.tensors[w]!;
    const { scale, zeroPoint } = weights.quant!;
    const channels = scale.length;
    const inner = node.op === "depthwiseConv2d" ? 1 : weights.data!.length / channels;
    const of = (i: number): number => Math.floor(i / inner) % channels;
    found.set(
      weights.name,
      Float32Array.from(weights.data as Int8Array, (q, i) => (q - zeroPoint[of(i)]!) * scale[of(i)]!),
    );
    if (b < 0) continue;
    const unit = graph.tensors[x]!.quant!.scale[0]!;
    const bias = graph.tensors[b]!;
    found.set(
      bias.name,
      Float32Array.from(bias.data as Int32Array, (q, c) => q * unit * scale[channels === 1 ? 0 : c]!),
    );
  }
  return found;
}
