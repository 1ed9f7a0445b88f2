// A trained net → the int8 graph that the packer takes: batch norm folded into the weights before it, activations
// fused, weights per channel, ranges from calibration samples. Invariant: plain post-training quantization; every
// operator of a trace has a rule in here or is refused by name.

import { ToolError } from "../../errors.ts";
import type { Activation, Graph, Quantization } from "../../graph/graph.ts";
import { elementCount } from "../../graph/graph.ts";
import type { Machine } from "../machine.ts";
import type { WindowSize } from "../ops/window.ts";
import type { Samples } from "../samples.ts";
import type { Trace, Value } from "../trace.ts";
import { affine, beforeShift, fixedScale, GraphBuilder } from "./builder.ts";
import { measureRanges, type Ranges } from "./ranges.ts";
import { recurrentNodes } from "./recurrentNodes.ts";

export interface Inference {
  readonly trace: Trace;
  readonly input: Value;
  readonly output: Value;
}

export interface ExportOptions {
  readonly name: string;
  /** what the ranges are measured on */
  readonly samples: Samples;
  /** how many of them; 256 unless said otherwise */
  readonly count?: number;
  /** what is put behind the net: shares of classes, a share, or nothing (the caller then sees float32) */
  readonly head: "softmax" | "logistic" | "none";
}

const SHARE = fixedScale(1 / 256, -128);

export interface Context {
  readonly builder: GraphBuilder;
  readonly ranges: Ranges;
  /** the tensor of a value */
  tensor(value: Value): number;
  /** a new tensor for a value, by its range or with `quant` */
  make(value: Value, quant?: Quantization): number;
  data(value: Value): Float32Array;
}

/** The int8 graph of one sample. Throws UNSUPPORTED where an operator has no integer form. */
export function exportInt8(machine: Machine, { trace, input, output }: Inference, options: ExportOptions): Graph {
  const ranges = measureRanges(machine, trace, input, output, options.samples, options.count ?? 256);
  const builder = new GraphBuilder();
  const tensors = new Map<Value, number>();
  const context: Context = {
    builder,
    ranges,
    data: ({ parameter }) => machine.read(parameter!),
    tensor(value) {
      const known = tensors.get(value);
      if (known !== undefined) return known;
      const made = builder.constant(value.name, value.shape, context.data(value));
      tensors.set(value, made);
      return made;
    },
    make: (value, quant = affine(ranges.of(value))) => builder.activation(value.name, value.shape, quant),
  };
  tensors.set(input, context.make(input));
  const needed = new Set([output]);
  for (const value of [...trace.values].reverse())
    if (needed.has(value)) for (const each of value.inputs) needed.add(each);
  const readers = (value: Value): Value[] =>
    trace.values.filter((each) => needed.has(each) && each.inputs.includes(value));
  const only = (value: Value): Value | undefined =>
    value === output || readers(value).length !== 1 ? undefined : readers(value)[0];

  for (const value of trace.values) {
    if (value.kind !== "node" || !needed.has(value) || tensors.has(value)) continue;
    const last = exportNode(context, value, only, tensors);
    for (let at = value; at !== last; at = only(at)!) tensors.set(at, -1);
  }
  let result = tensors.get(output)!;
  if (options.head !== "none") {
    const head = builder.activation(options.head, output.shape, SHARE);
    if (options.head === "softmax") builder.node("softmax", "softmax", [result], [head], { beta: 1 });
    else builder.node("logistic", "logistic", [result], [head], {});
    result = head;
  }
  const edges = options.head === "none" ? new Map([[result, "float32" as const]]) : undefined;
  return builder.graph(options.name, [tensors.get(input)!], [result], edges);
}

type Only = (value: Value) => Value | undefined;

/** Adds the nodes of `value` and of what is fused behind it; returns the last value that they make. */
function exportNode(context: Context, value: Value, only: Only, tensors: Map<Value, number>): Value {
  const { builder, tensor, make } = context;
  const [x] = value.inputs as [Value, ...Value[]];
  const done = (last: Value, made: number): Value => {
    tensors.set(last, made);
    return last;
  };
  const kept = (): Quantization => builder.tensors[tensor(x)]!.quant!;

  switch (value.op) {
    case "conv2d":
    case "depthwiseConv2d":
    case "dense":
      return exportProduct(context, value, only, done);
    case "batchNorm": {
      const [factors, shifts] = batchNormFactors(context, value);
      const product = builder.activation(
        `${value.name}_scaled`,
        value.shape,
        affine(beforeShift(context.ranges.of(value), shifts)),
      );
      builder.node(
        "mul",
        `${value.name}_scaled`,
        [tensor(x), builder.constant(`${value.name}_factors`, [factors.length], factors)],
        [product],
        { activation: "none" },
      );
      const made = make(value);
      builder.node(
        "add",
        value.name,
        [product, builder.constant(`${value.name}_shifts`, [shifts.length], shifts)],
        [made],
        { activation: "none" },
      );
      return done(value, made);
    }
    case "add":
    case "sub":
    case "mul": {
      const [last, activation] = fusedActivation(value, only);
      const made = make(last);
      builder.node(value.op, value.name, [tensor(x), tensor(value.inputs[1]!)], [made], { activation });
      return done(last, made);
    }
    case "scale": {
      const made = make(value);
      const factor = builder.constant(`${value.name}_factor`, [1], [value.attrs.factor as number]);
      builder.node("mul", value.name, [tensor(x), factor], [made], { activation: "none" });
      return done(value, made);
    }
    case "relu":
    case "relu6": {
      const made = make(value);
      builder.node("clamp", value.name, [tensor(x)], [made], { min: 0, max: value.op === "relu" ? Infinity : 6 });
      return done(value, made);
    }
    case "leakyRelu": {
      const made = make(value);
      builder.node("leakyRelu", value.name, [tensor(x)], [made], { alpha: value.attrs.alpha as number });
      return done(value, made);
    }
    case "hardSwish": {
      const made = make(value);
      builder.node("hardSwish", value.name, [tensor(x)], [made], {});
      return done(value, made);
    }
    case "logistic":
    case "tanh": {
      const made = make(value, value.op === "tanh" ? fixedScale(1 / 128, 0) : SHARE);
      builder.node(value.op, value.name, [tensor(x)], [made], {});
      return done(value, made);
    }
    case "softmax": {
      const made = make(value, SHARE);
      builder.node("softmax", value.name, [tensor(x)], [made], { beta: 1 });
      return done(value, made);
    }
    case "mean": {
      const made = make(value);
      builder.node("mean", value.name, [tensor(x)], [made], { axes: value.attrs.axes as number[], keepDims: false });
      return done(value, made);
    }
    case "maxPool2d":
    case "averagePool2d": {
      const size = value.attrs.window as WindowSize;
      const made = make(value, kept());
      const window = { ...windowOf(size), kernelH: size.kernelH, kernelW: size.kernelW, activation: "none" } as const;
      builder.node(value.op, value.name, [tensor(x)], [made], window);
      return done(value, made);
    }
    case "reshape": {
      const made = make(value, kept());
      builder.node("reshape", value.name, [tensor(x)], [made], { shape: value.shape });
      return done(value, made);
    }
    case "transpose": {
      const made = make(value, kept());
      builder.node("transpose", value.name, [tensor(x)], [made], { permutation: value.attrs.permutation as number[] });
      return done(value, made);
    }
    case "matmul": {
      const made = make(value);
      const transposeB = value.attrs.transposeB as boolean;
      builder.node("batchMatmul", value.name, [tensor(x), tensor(value.inputs[1]!)], [made], {
        transposeA: false,
        transposeB,
      });
      return done(value, made);
    }
    case "layerNorm": {
      const made = make(value);
      const real = (each: Value): number =>
        builder.tensors.push({ name: each.name, shape: each.shape, dtype: "float32", data: context.data(each) }) - 1;
      const [, gamma, beta] = value.inputs as [Value, Value, Value];
      builder.node("layerNorm", value.name, [tensor(x), real(gamma), real(beta)], [made], {
        epsilon: value.attrs.epsilon as number,
      });
      return done(value, made);
    }
    case "rnn":
    case "gru":
    case "lstm":
      return done(value, recurrentNodes(context, value));
    default:
      throw new ToolError(
        "UNSUPPORTED",
        `${value.op} has no int8 form yet; use another layer or keep it out of the packed model.`,
      );
  }
}

function windowOf({ stride, padTop, padBottom, padLeft, padRight }: WindowSize) {
  return {
    strideH: stride,
    strideW: stride,
    padding: { top: padTop, bottom: padBottom, left: padLeft, right: padRight },
  };
}

/** A relu behind `value` that nothing else reads past. */
function fusedActivation(value: Value, only: Only): readonly [last: Value, activation: Activation] {
  const next = only(value);
  return next?.op === "relu" || next?.op === "relu6" ? [next, next.op] : [value, "none"];
}

/** y = x·factor + shift of an inference batch norm. */
function batchNormFactors({ data }: Context, value: Value): readonly [factors: Float64Array, shifts: Float64Array] {
  const [, gamma, beta, mean, variance] = value.inputs.map((each, i) => (i === 0 ? new Float32Array() : data(each)));
  const epsilon = value.attrs.epsilon as number;
  const factors = Float64Array.from(gamma!, (g, c) => g / Math.sqrt(variance![c]! + epsilon));
  return [factors, factors.map((factor, c) => beta![c]! - mean![c]! * factor)];
}

/** conv2d, depthwiseConv2d and dense, with what follows folded in. */
function exportProduct(context: Context, value: Value, only: Only, done: (last: Value, made: number) => Value): Value {
  const { builder, tensor, data } = context;
  const [x, w, b] = value.inputs as [Value, Value, Value?];
  const isDepthwise = value.op === "depthwiseConv2d";
  const channels = value.shape.at(-1)!;
  const weights = Float64Array.from(data(w));
  const bias = b ? Float64Array.from(data(b)) : new Float64Array(channels);
  const perChannel = weights.length / channels;
  const scaleChannels = (factors: ArrayLike<number>, shifts?: ArrayLike<number>): void => {
    weights.forEach((v, i) => {
      weights[i] = v * factors[isDepthwise ? i % channels : Math.floor(i / perChannel)]!;
    });
    bias.forEach((v, c) => {
      bias[c] = v * factors[c]! + (shifts?.[c] ?? 0);
    });
  };
  let last = value;
  for (let next = only(last); next; next = only(last)) {
    if (next.op === "batchNorm") scaleChannels(...batchNormFactors(context, next));
    else if (next.op === "scale") scaleChannels(new Float64Array(channels).fill(next.attrs.factor as number));
    else break;
    last = next;
  }
  const [end, activation] = fusedActivation(last, only);
  const inputs = tensor(x);
  const weightTensor = builder.weights(w.name, w.shape, weights, isDepthwise ? 3 : 0);
  const biasTensor = builder.bias(b?.name ?? `${w.name}_bias`, bias, builder.scaleOf(inputs), weightTensor);
  const made = context.make(end);
  const from = [inputs, weightTensor, biasTensor];
  if (value.op === "dense") builder.node("fullyConnected", value.name, from, [made], { activation });
  else {
    const size = value.attrs.window as WindowSize;
    const window = { ...windowOf(size), activation, dilationH: size.dilation, dilationW: size.dilation };
    if (isDepthwise) builder.node("depthwiseConv2d", value.name, from, [made], { ...window, multiplier: 1 });
    else builder.node("conv2d", value.name, from, [made], window);
  }
  return done(end, made);
}

/** Values of the weights that an export rounds: for cards. */
export const parameterCount = (trace: Trace): number =>
  trace.values.reduce(
    (sum, { parameter, shape }) => sum + (parameter && !parameter.isStatistic ? elementCount(shape) : 0),
    0,
  );
