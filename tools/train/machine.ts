// The training core's memory and who lies where in it. Invariant: parameters, their gradients and the
// optimizer's state are laid out alike, each parameter at a multiple of 16 bytes and padded with zeros, so that
// whole regions are saved, summed, clipped and averaged as one array; programs share one arena, as only one runs at a time.
//
//   base    trained             statistics, frozen   gradients   state × slots   arena
//   ├ globals ┼ p₀ ┼ p₁ ┼ … ──────┼ s₀ ┼ … ────────────┼ g₀ ┼ g₁ … ┼ m₀ … v₀ … ───┼ inputs, activations … ┤
//             └────────── values ──────────┘

import { ToolError } from "../errors.ts";
import { elementCount } from "../graph/graph.ts";
import { align16 } from "../pack/align.ts";
import { type Kernels, openKernels } from "./kernels.ts";
import { Program, type ProgramOptions } from "./program.ts";
import type { Parameter, ParameterSet, Trace } from "./trace.ts";

const GLOBAL_BYTES = 64;

export class Machine {
  readonly kernels: Kernels = openKernels();
  readonly parameters: readonly Parameter[];
  /** those that training changes, in memory order */
  readonly trained: readonly Parameter[];
  readonly slots: number;
  readonly arenaBase: number;
  readonly #offsets = new Map<Parameter, number>();
  readonly #valueBytes: number;
  readonly #trainedBytes: number;
  readonly #statisticBytes: number;
  readonly #base: number;

  /** Lays out every parameter declared so far; `slots`: arrays of optimizer state for each trained one. */
  constructor(set: ParameterSet, slots = 0) {
    const isTrained = (parameter: Parameter): boolean => !parameter.isStatistic && !parameter.isFrozen;
    this.trained = set.all.filter(isTrained);
    const statistics = set.all.filter(({ isStatistic }) => isStatistic);
    const frozen = set.all.filter(({ isStatistic, isFrozen }) => isFrozen && !isStatistic);
    this.parameters = [...this.trained, ...statistics, ...frozen];
    this.slots = slots;
    this.#base = this.kernels.base + GLOBAL_BYTES;
    let at = 0;
    for (const parameter of this.parameters) {
      this.#offsets.set(parameter, at);
      at += align16(elementCount(parameter.shape) * 4);
    }
    this.#valueBytes = at;
    const bytesOf = (parameters: readonly Parameter[]): number =>
      parameters.reduce((sum, { shape }) => sum + align16(elementCount(shape) * 4), 0);
    this.#trainedBytes = bytesOf(this.trained);
    this.#statisticBytes = bytesOf(statistics);
    this.arenaBase = Math.ceil((this.#base + this.#valueBytes + this.#trainedBytes * (1 + slots)) / 64) * 64;
    this.kernels.reserve(this.arenaBase + 64);
    for (const parameter of this.parameters) this.write(parameter, parameter.data);
  }

  compile(trace: Trace, options: ProgramOptions): Program {
    return new Program(this, trace, options);
  }

  /** word 0: dropout's seed; words 4 … 7: learning rate and its companions; word 8: gradient norm */
  get seedAddress(): number {
    return this.kernels.base;
  }
  get rateAddress(): number {
    return this.kernels.base + 16;
  }
  get normAddress(): number {
    return this.kernels.base + 32;
  }

  addressOf(parameter: Parameter): number {
    const offset = this.#offsets.get(parameter);
    if (offset === undefined) {
      throw new ToolError("BAD_GRAPH", `parameter "${parameter.name}" was declared after the memory was laid out.`);
    }
    return this.#base + offset;
  }

  gradientAddressOf(parameter: Parameter): number {
    return this.addressOf(parameter) + this.#valueBytes;
  }

  stateAddressOf(parameter: Parameter, slot: number): number {
    return this.gradientAddressOf(parameter) + this.#trainedBytes * (1 + slot);
  }

  #view(offset: number, bytes: number): Float32Array {
    return new Float32Array(this.kernels.memory.buffer, offset, bytes / 4);
  }

  /** Views, good until the next program is made: trained parameters, all values, gradients, optimizer state. */
  get trainedValues(): Float32Array {
    return this.#view(this.#base, this.#trainedBytes);
  }
  get values(): Float32Array {
    return this.#view(this.#base, this.#valueBytes);
  }
  get gradients(): Float32Array {
    return this.#view(this.#base + this.#valueBytes, this.#trainedBytes);
  }
  get state(): Float32Array {
    return this.#view(this.#base + this.#valueBytes + this.#trainedBytes, this.#trainedBytes * this.slots);
  }
  get statisticValues(): Float32Array {
    return this.#view(this.#base + this.#trainedBytes, this.#statisticBytes);
  }

  read(parameter: Parameter): Float32Array {
    return this.#view(this.addressOf(parameter), elementCount(parameter.shape) * 4).slice();
  }

  readGradient(parameter: Parameter): Float32Array {
    return this.#view(this.gradientAddressOf(parameter), elementCount(parameter.shape) * 4).slice();
  }

  write(parameter: Parameter, data: Float32Array): void {
    this.#view(this.addressOf(parameter), elementCount(parameter.shape) * 4).set(data);
  }

  /** Copies what the memory holds back to the parameters' own arrays. */
  store(): void {
    for (const parameter of this.parameters) parameter.data = this.read(parameter);
  }

  setSeed(seed: number): void {
    new Int32Array(this.kernels.memory.buffer, this.seedAddress, 1)[0] = seed;
  }

  setRate(...values: number[]): void {
    this.#view(this.rateAddress, 16).set(values);
  }

  /** √Σ gradient², limited to `most` where that is above 0; the length as it was is returned. */
  clipGradients(most: number): number {
    const { kernels } = this;
    kernels.kernel("clipNorm")(this.#base + this.#valueBytes, this.#trainedBytes / 4, this.normAddress, most);
    return this.#view(this.normAddress, 4)[0]!;
  }
}
