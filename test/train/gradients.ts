// Holds an operator's kernels to its float64 reference: the output to the reference's, and every gradient to
// central differences of the reference. Invariant: the differences know nothing of the kernels.
import { expect } from "vitest";
import { Machine } from "../../tools/train/machine.ts";
import { meanSquaredError, reshape } from "../../tools/train/ops/index.ts";
import { Random } from "../../tools/train/random.ts";
import { evaluateReference } from "../../tools/train/reference.ts";
import { ParameterSet, Trace, type Value } from "../../tools/train/trace.ts";

/** float32 carries seven digits; sums of a few hundred terms and quotients lose two or three of them. */
const TOLERANCE = 2e-4;
const STEP = 1e-4;

export interface GradientCase {
  readonly seed?: number;
  /** values of inputs are in −spread … spread */
  readonly spread?: number;
  /** makes the output from inputs and parameters of the trace; a single number is taken as the loss itself */
  readonly build: (trace: Trace) => Value;
  /** data for inputs that are not to be drawn, such as labels */
  readonly data?: Readonly<Record<string, readonly number[]>>;
}

/** A parameter of that shape with values in −1 … 1. */
export function weights(trace: Trace, name: string, shape: readonly number[], low = -1, high = 1): Value {
  const draw = (random: Random, size: readonly number[]): Float32Array =>
    Float32Array.from({ length: size.reduce((product, n) => product * n, 1) }, () => random.between(low, high));
  return trace.parameter(trace.parameters.declare(name, shape, draw));
}

const sizeOf = ({ shape }: Value): number => shape.reduce((product, n) => product * n, 1);

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  const scale = Math.max(1e-2, ...Array.from(expected, Math.abs));
  let worst = 0;
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!) / scale);
  expect(worst, `${what}: largest error, of the largest value ${scale}`).toBeLessThan(TOLERANCE);
}

export function expectGradients({ seed = 1, spread = 1, build, data = {} }: GradientCase): void {
  const random = new Random(seed).fork("gradients");
  const trace = new Trace(new ParameterSet(seed), "train");
  const output = build(trace);
  const isLoss = sizeOf(output) === 1;
  const target = isLoss ? undefined : trace.input("target", [sizeOf(output)]);
  const loss = target ? meanSquaredError(reshape(output, [sizeOf(output)]), target) : output;

  const values = new Map<string, Float32Array>();
  const leaves = trace.values.filter(({ kind }) => kind !== "node");
  for (const leaf of leaves) {
    const drawn = (): Float32Array =>
      Float32Array.from({ length: sizeOf(leaf) }, () => random.between(-spread, spread));
    const given = data[leaf.name];
    values.set(leaf.name, leaf.parameter?.data ?? (given ? Float32Array.from(given) : drawn()));
  }
  const differentiable = leaves.filter(
    ({ dtype, name, parameter }) => dtype === "float32" && name !== "target" && !parameter?.isStatistic,
  );
  const inputs = differentiable.filter(({ kind }) => kind === "input");

  const machine = new Machine(trace.parameters);
  const program = machine.compile(trace, { outputs: [output, loss], loss, inputGradients: inputs });
  for (const leaf of leaves) if (leaf.kind === "input") program.set(leaf.name, values.get(leaf.name)!);
  program.run();
  expectClose(program.get(output), evaluateReference(trace, [output], values)[0]!, "output");

  for (const leaf of differentiable) {
    const actual = program.gradient(leaf);
    const around = Float64Array.from(values.get(leaf.name)!);
    const lossAt = (): number =>
      evaluateReference(trace, [loss], new Map<string, ArrayLike<number>>(values).set(leaf.name, around))[0]![0]!;
    const expected = around.map((_, i) => {
      const middle = around[i]!;
      around[i] = middle + STEP;
      const above = lossAt();
      around[i] = middle - STEP;
      const below = lossAt();
      around[i] = middle;
      return (above - below) / (2 * STEP);
    });
    expectClose(actual, expected, `gradient by ${leaf.name}`);
  }
}
