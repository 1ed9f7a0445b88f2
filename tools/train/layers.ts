// Layers: functions from value to value that own their parameters. Invariant: a layer object has one set of
// parameters however often it is applied (that is weight sharing), named after its kind and its place in the
// order of first use, or as `name` says; so the same net has the same names in every trace.

import { ToolError } from "../errors.ts";
import { glorotUniform, heUniform, heUniformDepthwise, normal, ones, recurrentUniform, zeros } from "./initialisers.ts";
import * as ops from "./ops/index.ts";
import { type CellKind, GATES } from "./ops/recurrent.ts";
import type { WindowOptions } from "./ops/window.ts";
import type { Initialiser, Value } from "./trace.ts";

export type Layer = (x: Value) => Value;
export type ActivationName = "none" | "relu" | "relu6" | "leakyRelu" | "logistic" | "tanh" | "hardSwish";

export interface LayerOptions {
  /** prefix of the parameters' names */
  readonly name?: string;
}

interface Scope {
  parameter(
    name: string,
    shape: readonly number[],
    initialise: Initialiser,
    options?: { isStatistic?: boolean; decays?: boolean },
  ): Value;
}

/** Makes a layer of `build`, which gets its parameters from `scope`. */
export function layer(kind: string, { name }: LayerOptions, build: (scope: Scope, x: Value) => Value): Layer {
  const self: Layer = (x) => {
    const prefix = name ?? x.trace.nameOf(self, kind);
    return build(
      {
        parameter: (own, shape, initialise, options) =>
          x.trace.parameter(x.trace.parameters.declare(`${prefix}.${own}`, shape, initialise, options)),
      },
      x,
    );
  };
  return self;
}

export const sequential =
  (...layers: readonly Layer[]): Layer =>
  (x) =>
    layers.reduce((value, next) => next(value), x);

/** Gives what passes a name by which a distillation finds it. */
export const mark =
  (name: string): Layer =>
  (x) => {
    x.trace.mark(name, x);
    return x;
  };

/** x + inner(x), or shortcut(x) + inner(x) where the shapes differ. */
export const residual =
  (inner: Layer, shortcut: Layer = (x) => x): Layer =>
  (x) =>
    ops.add(inner(x), shortcut(x));

export function activate(x: Value, name: ActivationName): Value {
  switch (name) {
    case "none":
      return x;
    case "relu":
      return ops.relu(x);
    case "relu6":
      return ops.relu6(x);
    case "leakyRelu":
      return ops.leakyRelu(x);
    case "logistic":
      return ops.logistic(x);
    case "tanh":
      return ops.tanh(x);
    case "hardSwish":
      return ops.hardSwish(x);
  }
}

export const activation =
  (name: ActivationName): Layer =>
  (x) =>
    activate(x, name);

const initialiserFor = (name: ActivationName): Initialiser =>
  /relu|hardSwish/i.test(name) ? heUniform : glorotUniform;

export interface DenseOptions extends LayerOptions {
  readonly activation?: ActivationName;
  readonly bias?: boolean;
  readonly initialise?: Initialiser;
}

/** Fully connected over the last axis. */
export function dense(units: number, options: DenseOptions = {}): Layer {
  const { activation = "none", bias = true, initialise = initialiserFor(activation) } = options;
  return layer("dense", options, (scope, x) => {
    const weights = scope.parameter("weight", [units, x.shape.at(-1)!], initialise, { decays: true });
    return activate(ops.dense(x, weights, bias ? scope.parameter("bias", [units], zeros) : undefined), activation);
  });
}

export interface ConvOptions extends DenseOptions, WindowOptions {}

/** Convolution with a square kernel; padding "same" unless said otherwise. */
export function conv2d(filters: number, kernel: number, options: ConvOptions = {}): Layer {
  const { activation = "none", bias = true, initialise = initialiserFor(activation) } = options;
  return layer("conv2d", options, (scope, x) => {
    const shape = [filters, kernel, kernel, x.shape.at(-1)!];
    const weights = scope.parameter("weight", shape, initialise, { decays: true });
    const offset = bias ? scope.parameter("bias", [filters], zeros) : undefined;
    return activate(ops.conv2d(x, weights, offset, { padding: "same", ...options }), activation);
  });
}

/** One square kernel a channel. */
export function depthwiseConv2d(kernel: number, options: ConvOptions = {}): Layer {
  const { activation = "none", bias = true, initialise = heUniformDepthwise } = options;
  return layer("depthwiseConv2d", options, (scope, x) => {
    const channels = x.shape.at(-1)!;
    const weights = scope.parameter("weight", [1, kernel, kernel, channels], initialise, { decays: true });
    const offset = bias ? scope.parameter("bias", [channels], zeros) : undefined;
    return activate(ops.depthwiseConv2d(x, weights, offset, { padding: "same", ...options }), activation);
  });
}

export interface BatchNormOptions extends LayerOptions {
  readonly activation?: ActivationName;
  readonly epsilon?: number;
  readonly momentum?: number;
}

export function batchNorm(options: BatchNormOptions = {}): Layer {
  return layer("batchNorm", options, (scope, x) => {
    const shape = [x.shape.at(-1)!];
    const gamma = scope.parameter("gamma", shape, ones);
    const beta = scope.parameter("beta", shape, zeros);
    const mean = scope.parameter("mean", shape, zeros, { isStatistic: true });
    const variance = scope.parameter("variance", shape, ones, { isStatistic: true });
    return activate(ops.batchNorm(x, gamma, beta, mean, variance, options), options.activation ?? "none");
  });
}

export function layerNorm(options: LayerOptions & { readonly epsilon?: number } = {}): Layer {
  return layer("layerNorm", options, (scope, x) => {
    const shape = [x.shape.at(-1)!];
    return ops.layerNorm(x, scope.parameter("gamma", shape, ones), scope.parameter("beta", shape, zeros), options);
  });
}

export const dropout =
  (rate: number): Layer =>
  (x) =>
    ops.dropout(x, rate);
export const flatten = (): Layer => ops.flatten;
export const maxPool2d =
  (kernel: number, options: WindowOptions = {}): Layer =>
  (x) =>
    ops.maxPool2d(x, kernel, options);
export const averagePool2d =
  (kernel: number, options: WindowOptions = {}): Layer =>
  (x) =>
    ops.averagePool2d(x, kernel, options);

/** Mean over all axes between the batch and the channels: of pictures, and of sequences. */
export const globalAveragePool = (): Layer => (x) => ops.mean(x, 1, x.shape.length - 2);

export interface RecurrentOptions extends LayerOptions {
  /** all states instead of the last one */
  readonly sequence?: boolean;
}

function recurrentLayer(kind: CellKind, units: number, options: RecurrentOptions): Layer {
  return layer(kind, options, (scope, x) => {
    const width = GATES[kind] * units;
    const initialise = recurrentUniform(units);
    const weights = {
      wx: scope.parameter("inputWeight", [width, x.shape.at(-1)!], initialise, { decays: true }),
      wh: scope.parameter("stateWeight", [width, units], initialise, { decays: true }),
      bx: scope.parameter("inputBias", [width], initialise),
      bh: scope.parameter("stateBias", [width], initialise),
    };
    return ops.recurrent(kind, x, weights, options);
  });
}

export const rnn = (units: number, options: RecurrentOptions = {}): Layer => recurrentLayer("rnn", units, options);
export const gru = (units: number, options: RecurrentOptions = {}): Layer => recurrentLayer("gru", units, options);
export const lstm = (units: number, options: RecurrentOptions = {}): Layer => recurrentLayer("lstm", units, options);

/** Adds a learnt vector to each position of a sequence [N, T, C]. */
export function positions(options: LayerOptions = {}): Layer {
  return layer("positions", options, (scope, x) =>
    ops.add(x, scope.parameter("weight", x.shape.slice(1), normal(0.02))),
  );
}

/** Scaled dot-product self-attention (Vaswani et al., 2017) over [N, T, C], C a multiple of `heads`. */
export function selfAttention(heads: number, options: LayerOptions & { readonly width?: number } = {}): Layer {
  return layer("selfAttention", options, (scope, x) => {
    const [batch, steps, channels] = x.shape as [number, number, number];
    const width = options.width ?? channels;
    if (x.shape.length !== 3 || width % heads !== 0) {
      throw new ToolError(
        "BAD_GRAPH",
        `selfAttention: ${width} channels of [${x.shape}] cannot be shared among ${heads} heads.`,
      );
    }
    const project = (name: string, from: Value, outputs: number): Value =>
      ops.dense(
        from,
        scope.parameter(`${name}Weight`, [outputs, from.shape.at(-1)!], glorotUniform, { decays: true }),
        scope.parameter(`${name}Bias`, [outputs], zeros),
      );
    const split = (value: Value): Value =>
      ops.transpose(ops.reshape(value, [batch, steps, heads, width / heads]), [0, 2, 1, 3]);
    const query = split(ops.scale(project("query", x, width), 1 / Math.sqrt(width / heads)));
    const key = split(project("key", x, width));
    const shares = ops.softmax(ops.matmul(query, key, { transposeB: true }));
    const mixed = ops.transpose(ops.matmul(shares, split(project("value", x, width))), [0, 2, 1, 3]);
    return project("output", ops.reshape(mixed, [batch, steps, width]), channels);
  });
}

export interface TransformerOptions extends LayerOptions {
  readonly heads: number;
  /** units of the inner dense layer */
  readonly hidden: number;
  readonly dropout?: number;
}

/** One encoder block, normalizing before each part (Xiong et al., 2020). */
export function transformerBlock({ heads, hidden, dropout: rate = 0 }: TransformerOptions): Layer {
  const norm1 = layerNorm();
  const attention = selfAttention(heads);
  const norm2 = layerNorm();
  const wide = dense(hidden, { activation: "relu" });
  let narrow: Layer | undefined;
  return (x) => {
    narrow ??= dense(x.shape.at(-1)!);
    const attended = ops.add(x, ops.dropout(attention(norm1(x)), rate));
    return ops.add(attended, ops.dropout(narrow(wide(norm2(attended))), rate));
  };
}
