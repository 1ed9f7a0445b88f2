// Integer training: what the simulator says is what the packed model says in the core, example by example, for every kind
// of weights; scales learn by the formulas of learned step sizes; masks stay; teachers are heard and left alone.
import { describe, expect, it } from "vitest";
import { loadModel } from "../../host/targets/node.ts";
import { evaluate } from "../../tools/evaluate/reference.ts";
import { elementCount, type Graph } from "../../tools/graph/graph.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { codeRule } from "../../tools/train/integer/codeRules.ts";
import { floatGraph, integerRecipe, type WeightChoice } from "../../tools/train/integer/integerTraining.ts";
import * as layers from "../../tools/train/layers.ts";
import { Machine } from "../../tools/train/machine.ts";
import { predictions } from "../../tools/train/metrics.ts";
import * as ops from "../../tools/train/ops/index.ts";
import { requantizeRows, weightCodes } from "../../tools/train/ops/integerRule.ts";
import type { Recipe } from "../../tools/train/recipe.ts";
import { ParameterSet, Trace } from "../../tools/train/trace.ts";
import { Trainer } from "../../tools/train/trainer.ts";
import { blobData, tinyRecipe } from "./tiny.ts";

const { conv2d, dense, depthwiseConv2d, flatten, maxPool2d, sequential } = layers;
const data = blobData([8, 8, 4]);
const base = tinyRecipe({
  data: () => data,
  net: () =>
    sequential(
      conv2d(16, 3, { bias: false }),
      layers.batchNorm({ activation: "relu" }),
      maxPool2d(2),
      depthwiseConv2d(3, { activation: "relu6" }),
      conv2d(16, 1, { activation: "relu" }),
      flatten(),
      dense(24, { activation: "relu" }),
      dense(3),
    ),
  epochs: 3,
});

function trained(recipe: Recipe, seed = 0): Trainer {
  const trainer = new Trainer(recipe, data, seed);
  while (!trainer.isDone) trainer.step();
  trainer.finish();
  return trainer;
}

const float = trained(base);
const weights = new Map(float.parameters.all.map(({ name, data }) => [name, data]));
const graph = floatGraph(base, data, weights);
const firstAndLast = (kind: string): WeightChoice => ({
  default: kind,
  layers: [{ match: graph.nodes[0]!.name, weights: "int8" }],
});

/** Bytes that the packed model's session gives for each test sample. */
async function inCore(packed: Graph): Promise<Int8Array> {
  const model = await loadModel(packGraph(packed, { source: "test", sourceBytes: new Uint8Array() }).bytes);
  const session = await model.createSession();
  const { x, count, shape } = data.test;
  const size = elementCount(shape);
  const all = Array.from({ length: count }, (_, i) => {
    const [scores] = Object.values(session.run(x.slice(i * size, (i + 1) * size)));
    return Int8Array.from(scores as Int8Array);
  });
  session.dispose();
  return Int8Array.from(all.flatMap((row) => [...row]));
}

/** The same by the simulator: its scores as integers, through the head of the graph. */
function simulated(trainer: Trainer, learned: Graph): Int8Array {
  const { head } = trainer.recipe.integer!;
  const scores = learned.nodes[head - 1]!.outputs[0]!;
  const { scale, zeroPoint } = learned.tensors[scores]!.quant!;
  const codes = Int8Array.from(trainer.evaluate(data.test).outputs, (v) => Math.round(v / scale[0]!) + zeroPoint[0]!);
  const rest = { ...learned, inputs: [scores], nodes: learned.nodes.slice(head) };
  return Int8Array.from(
    Array.from({ length: data.test.count }, (_, i) => [
      ...(evaluate(rest, [codes.slice(i * 3, i * 3 + 3)])[0] as Int8Array),
    ]).flat(),
  );
}

describe("integer training", () => {
  it.each<[string, WeightChoice]>([
    ["int8", "int8"],
    ["int4", "int4"],
    ["codebook", "codebook"],
    ["ternary", "ternary"],
    ["binary but for the first layer", firstAndLast("binary")],
  ])("with %s weights: the simulator is the core, byte for byte", async (_name, choice) => {
    const recipe = integerRecipe(base, graph, weights, { weights: choice, epochs: 2, rate: 2e-3, distil: "self" });
    const trainer = trained(recipe);
    const learned = recipe.integer!.toGraph(trainer.machine, trainer.inference.trace);
    expect(recipe.integer!.mostSum(trainer.machine, trainer.inference.trace)).toBeLessThan(2 ** 24);
    const [core, simulator] = [await inCore(learned), simulated(trainer, learned)];
    expect(core).toEqual(simulator);
    expect(predictions(core, 3)).toEqual(predictions(simulator, 3));
    const changed = learned.tensors.filter(({ quant }, i) => quant?.scale[0] !== graph.tensors[i]?.quant?.scale[0]);
    expect(changed.length).toBeGreaterThan(5);
  });

  it("begins where the rounded graph is and gets better", () => {
    const recipe = integerRecipe(base, graph, weights, { weights: "ternary", epochs: 6, rate: 5e-3, distil: "self" });
    const before = new Trainer(recipe, data).evaluate(data.train).loss;
    const trainer = trained(recipe);
    expect(trainer.evaluate(data.train).loss).toBeLessThan(before * 0.9);
  });

  it("refuses by name what has no rule", () => {
    const recurrent = tinyRecipe({
      data: () => blobData([5, 4]),
      net: () => sequential(layers.gru(7), dense(3)),
      epochs: 0,
    });
    const its = floatGraph(recurrent, blobData([5, 4]), new Map());
    const recipe = integerRecipe(recurrent, its, new Map(), { epochs: 1, rate: 1e-3 });
    expect(() => new Trainer(recipe, blobData([5, 4]))).toThrow(/gru.*has no rule for integer training/);
    const groups = integerRecipe(base, graph, weights, { weights: "int4:g32", epochs: 1, rate: 1e-3 });
    expect(() => new Trainer(groups, data)).toThrow(/needs int8 weights with a scale a channel/);
  });
});

describe("straight-through gradients", () => {
  it("are those of learned step sizes: within the range q − v for the scale, 1 for the weight; outside the bound", () => {
    const trace = new Trace(new ParameterSet(), "train");
    const given = [0.31, -0.74, 9.9, -0.12];
    const declare = (name: string, values: readonly number[], shape = [values.length]) =>
      trace.parameter(trace.parameters.declare(name, shape, () => Float32Array.from(values)));
    const [w, s] = [declare("w", given, [1, 4]), declare("s", [0.2])];
    const rule = codeRule({ name: "", shape: [1, 4], dtype: "int8", coding: "int4" });
    const table = trace.parameter(trace.parameters.declare("t", [256], () => rule.table, { isStatistic: true }));
    const codes = weightCodes(w, s, table, rule, 4);
    // real values again: codes · s, summed with slopes of their own
    const slopes = [1, 2, 3, 4];
    const x = trace.parameter(
      trace.parameters.declare("x", [1, 4], () => Float32Array.from(slopes), { isStatistic: true }),
    );
    const loss = ops.reshape(ops.mul(ops.dense(x, codes), s), [1]);
    const machine = new Machine(trace.parameters);
    const program = machine.compile(trace, { outputs: [codes, loss], loss });
    program.run();
    expect([...program.get(codes)]).toEqual([2, -4, 7, -1]);
    const dw = machine.readGradient(w.parameter!);
    [1, 2, 0, 4].forEach((slope, i) => {
      expect(dw[i]).toBeCloseTo(slope, 5);
    });
    const expected = [2 - 0.31 / 0.2, -4 + 0.74 / 0.2, 7, -1 + 0.12 / 0.2].reduce(
      (sum, d, i) => sum + d * slopes[i]!,
      0,
    );
    expect(machine.readGradient(s.parameter!)[0]).toBeCloseTo(expected, 4);
  });

  it("of a requantization pass where it does not clamp, and give the output's scale its share", () => {
    const trace = new Trace(new ParameterSet(), "train");
    const declare = (name: string, values: readonly number[], shape = [values.length]) =>
      trace.parameter(trace.parameters.declare(name, shape, () => Float32Array.from(values)));
    const sums = declare("sums", [10, 900, -7], [1, 3]);
    const [sx, sw, sy] = [declare("sx", [0.5]), declare("sw", [0.2, 0.4, 0.6]), declare("sy", [0.8])];
    const codes = requantizeRows(sums, sx, sw, sy, { low: 0, high: 127, ceiling: 6 });
    const ones = trace.parameter(
      trace.parameters.declare("o", [1, 3], () => new Float32Array(3).fill(1), { isStatistic: true }),
    );
    const loss = ops.reshape(ops.mul(ops.dense(ones, codes), sy), [1]);
    const machine = new Machine(trace.parameters);
    const program = machine.compile(trace, { outputs: [codes, loss], loss });
    program.run();
    // 10 · 0.1 / 0.8 = 1.25; 6 / 0.8 = 7.5 → 8; below 0
    expect([...program.get(codes)]).toEqual([1, 8, 0]);
    const gradient = (value: typeof sums): number[] => [...machine.readGradient(value.parameter!)];
    expect(gradient(sums)[0]).toBeCloseTo(0.1, 6);
    expect(gradient(sums).slice(1)).toEqual([0, 0]);
    expect(gradient(sy)[0]).toBeCloseTo(1 - 1.25 + 8, 5);
    expect(gradient(sw)[0]).toBeCloseTo(10 * 0.5, 5);
    expect(gradient(sx)[0]).toBeCloseTo(10 * 0.2, 5);
  });
});

describe("pruning while training", () => {
  const share = (values: ArrayLike<number>): number => Array.from(values).filter((v) => v === 0).length / values.length;

  it.each([
    ["unstructured", "unstructured", "magnitude"],
    ["blocks", "block", "activation"],
    ["channels", "channels", "magnitude"],
    ["2:4", { keep: 2, of: 4 }, "activation"],
  ] as const)(
    "%s: the zeros asked for, in the float net and after integer training",
    (_name, structure, importance) => {
      const prune = { zeros: (name: string) => (name === "dense.weight" ? 0.5 : undefined), structure, importance };
      const pruned = trained({ ...base, prune });
      const values = pruned.parameters.get("dense.weight")!;
      expect(share(values.data)).toBeGreaterThanOrEqual(0.5);
      expect(share(values.data)).toBeLessThan(0.56);
      if (typeof structure === "object")
        for (let i = 0; i < values.data.length; i += 4)
          expect(share(values.data.slice(i, i + 4))).toBeGreaterThanOrEqual(0.5);
      const own = new Map(pruned.parameters.all.map(({ name, data }) => [name, data]));
      const integer = integerRecipe(base, floatGraph(base, data, own), own, {
        weights: "int4",
        epochs: 2,
        rate: 1e-3,
        prune: { ...prune, schedule: "oneShot" },
      });
      const trainer = trained(integer);
      const learned = integer.integer!.toGraph(trainer.machine, trainer.inference.trace);
      const node = learned.nodes.find(({ inputs }) => learned.tensors[inputs[1] ?? 0]?.name === "dense.weight")!;
      const codes = learned.tensors[node.inputs[1]!]!.data as Int8Array;
      values.data.forEach((value, i) => {
        if (value === 0) expect(codes[i]).toBe(0);
      });
    },
  );

  it("follows the cubic schedule, and goes on after a checkpoint as if nothing had been", () => {
    const recipe = { ...base, prune: { zeros: 0.8, schedule: { from: 0, to: 0.8, every: 2 } } };
    const whole = new Trainer(recipe, data);
    const zeros: number[] = [];
    while (!whole.isDone) {
      whole.step();
      zeros.push(share(whole.machine.read(whole.parameters.get("dense.weight")!)));
    }
    expect(zeros.every((part, i) => i === 0 || part >= zeros[i - 1]!)).toBe(true);
    expect(zeros[Math.floor(zeros.length * 0.4)]).toBeCloseTo(0.8 * (1 - 0.5 ** 3), 1);
    expect(zeros.at(-1)).toBeCloseTo(0.8, 2);
    const first = new Trainer(recipe, data);
    for (let i = 0; i < 7; i++) first.step();
    const second = new Trainer(recipe, data);
    second.resume(structuredClone(first.save()));
    while (!second.isDone) second.step();
    expect(second.machine.values).toEqual(whole.machine.values);
  });
});

describe("distillation", () => {
  const student = tinyRecipe({
    data: () => data,
    net: () => sequential(flatten(), layers.mark("in"), dense(4, { activation: "relu" }), layers.mark("h"), dense(3)),
  });
  const teacherNet = (): layers.Layer =>
    sequential(flatten(), dense(24, { activation: "relu" }), layers.dropout(0.3), layers.mark("h"), dense(3));
  const teacher = trained(tinyRecipe({ data: () => data, net: teacherNet }));
  const its = new Map(teacher.parameters.all.map(({ name, data }) => [name, data]));

  it("leaves the teacher as it is, on scores and on features of another width", () => {
    const distil = { teacher: teacherNet, weights: () => its, features: [{ student: "h", teacher: "h" }] };
    const taught = trained({ ...student, distil });
    for (const [name, values] of its) expect(taught.parameters.get(`teacher.${name}`)!.data).toEqual(values);
    expect(taught.parameters.get("feature0.map")!.shape).toEqual([24, 4]);
    expect(taught.evaluate(data.test).accuracy).toBeGreaterThan(0.8);
  });

  it("names what does not fit", () => {
    const wrong = { teacher: teacherNet, weights: () => its, features: [{ student: "x", teacher: "h" }] };
    expect(() => new Trainer({ ...student, distil: wrong }, data)).toThrow(/no feature is named "x"/);
  });
});
