// First-order optimizers: which update each parameter gets after its gradient. Invariant: an update reads nothing
// but its own parameter, gradient, state slots and the rates of the step, so it is exact however steps were grouped.

import { elementCount } from "../graph/graph.ts";
import type { Machine } from "./machine.ts";
import type { Parameter } from "./trace.ts";

export interface Optimizer {
  readonly name: string;
  /** arrays of state for each parameter */
  readonly slots: number;
  /** what the step needs beside the learning rate; `step` counts from 1 */
  rates(rate: number, step: number): readonly number[];
  /** the kernel and its arguments after (parameter, gradient) */
  update(parameter: Parameter, machine: Machine): readonly [kernel: string, ...args: number[]];
}

export interface DecayOptions {
  /** added to the gradient as decay · weight; weights only, not biases and norms */
  readonly weightDecay?: number;
}

const onlyRate = (rate: number): readonly number[] => [rate];
const decayOf = (parameter: Parameter, { weightDecay = 0 }: DecayOptions): number =>
  parameter.decays ? weightDecay : 0;

export interface SgdOptions extends DecayOptions {
  readonly momentum?: number;
  readonly nesterov?: boolean;
}

/** Stochastic gradient descent; with the whole training set as one batch, gradient descent. */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { momentum = 0, nesterov = false } = options;
  return {
    name: nesterov ? "nesterov" : momentum > 0 ? "momentum" : "sgd",
    slots: momentum > 0 ? 1 : 0,
    rates: onlyRate,
    update: (parameter, machine) => [
      "updateSgd",
      momentum > 0 ? machine.stateAddressOf(parameter, 0) : 0,
      elementCount(parameter.shape),
      machine.rateAddress,
      momentum,
      nesterov ? 1 : 0,
      decayOf(parameter, options),
    ],
  };
}

/** Duchi, Hazan & Singer, 2011. */
export function adagrad(options: DecayOptions & { readonly epsilon?: number } = {}): Optimizer {
  return {
    name: "adagrad",
    slots: 1,
    rates: onlyRate,
    update: (parameter, machine) => [
      "updateAdagrad",
      machine.stateAddressOf(parameter, 0),
      elementCount(parameter.shape),
      machine.rateAddress,
      options.epsilon ?? 1e-10,
      decayOf(parameter, options),
    ],
  };
}

/** Hinton, 2012. */
export function rmsprop(
  options: DecayOptions & { readonly alpha?: number; readonly epsilon?: number } = {},
): Optimizer {
  return {
    name: "rmsprop",
    slots: 1,
    rates: onlyRate,
    update: (parameter, machine) => [
      "updateRmsprop",
      machine.stateAddressOf(parameter, 0),
      elementCount(parameter.shape),
      machine.rateAddress,
      options.alpha ?? 0.99,
      options.epsilon ?? 1e-8,
      decayOf(parameter, options),
    ],
  };
}

export interface AdamOptions extends DecayOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

function adamLike(name: string, isDecoupled: boolean, options: AdamOptions): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  return {
    name,
    slots: 2,
    rates: (rate, step) => [rate, 1 / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step)],
    update: (parameter, machine) => [
      "updateAdam",
      machine.stateAddressOf(parameter, 0),
      machine.stateAddressOf(parameter, 1),
      elementCount(parameter.shape),
      machine.rateAddress,
      beta1,
      beta2,
      epsilon,
      decayOf(parameter, options),
      isDecoupled ? 1 : 0,
    ],
  };
}

/** Kingma & Ba, 2015. */
export const adam = (options: AdamOptions = {}): Optimizer => adamLike("adam", false, options);
/** Loshchilov & Hutter, 2019: the decay shrinks the weights themselves. */
export const adamw = (options: AdamOptions = {}): Optimizer =>
  adamLike("adamw", true, { weightDecay: 0.01, ...options });

/** The update of every trained parameter, as one function without arguments. */
export function bindUpdates(machine: Machine, optimizer: Optimizer): () => void {
  const calls = machine.trained.map((parameter) => {
    const [kernel, ...args] = optimizer.update(parameter, machine);
    return {
      run: machine.kernels.kernel(kernel),
      args: [machine.addressOf(parameter), machine.gradientAddressOf(parameter), ...args],
    };
  });
  return () => {
    for (const { run, args } of calls) run(...args);
  };
}
