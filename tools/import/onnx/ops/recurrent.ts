// GRU, LSTM and RNN: one floatRecurrent a direction. Weights, biases and lengths must be constant; the first state
// may be an input, which is how a stream carries it on.

import type { Attributes, MapName } from "../../../graph/graph.ts";
import type { Value } from "../builder.ts";
import type { Importer, OnnxNode } from "../node.ts";
import { TYPE } from "../tensors.ts";

type Kind = Attributes["floatRecurrent"]["kind"];

const FUNCTIONS: Readonly<Record<string, MapName>> = {
  sigmoid: "sigmoid",
  tanh: "tanh",
  relu: "clip",
  affine: "affine",
  leakyrelu: "leakyRelu",
  hardsigmoid: "hardSigmoid",
  softplus: "softplus",
};

function recurrent(kindOf: (op: OnnxNode) => Kind, gates: number): Importer {
  return (op) => {
    const { build } = op;
    const kind = kindOf(op);
    const isLstm = kind === "lstm";
    const batchFirst = op.int("layout", 0) === 1;
    const x = op.input(0);
    const sequence = batchFirst ? build.transpose(build.plain(x), [1, 0, 2]) : build.plain(x);
    const [, batch] = build.at(sequence).shape as [number, number, number];
    const units = op.int("hidden_size", op.input(2).shape[2]!);
    const direction = op.text("direction", "forward");
    const directions = direction === "bidirectional" ? 2 : 1;
    if (op.has("clip") && op.float("clip", 0) > 0) throw op.unsupported("a clip of the gates", "export it without");
    if (op.int("input_forget", 0) === 1) throw op.unsupported("coupled input and forget gates", "export it without");
    const lengths = op.numbers(4, "the lengths of the sequences") ?? [];
    const rows = gates * units;
    const results: number[][] = [];
    for (let d = 0; d < directions; d++) {
      /** One direction of a parameter, as a constant of `shape`. */
      const part = (value: Value | undefined, what: string, shape: readonly number[]): number => {
        if (!value) return -1;
        const data = op.constantOf(value, what);
        const size = data.length / directions;
        return build.constant(
          "float32",
          shape,
          Float32Array.from({ length: size }, (_, i) => data[d * size + i]!),
        );
      };
      const state = (index: number): number => {
        const value = op.optional(index);
        if (!value) return -1;
        const plain = batchFirst ? build.transpose(build.plain(value), [1, 0, 2]) : build.plain(value);
        const one =
          directions === 1
            ? plain
            : build.one("stridedSlice", [plain], {
                begin: [d, 0, 0],
                strides: [1, 1, 1],
                sizes: [1, batch, units],
                squeeze: [],
              });
        return build.reshape(one, [batch, units]);
      };
      const names = functionsOf(op, d, kind);
      const inputs = [
        sequence,
        part(op.input(1), "the weights", [rows, build.at(sequence).shape[2]!]),
        part(op.input(2), "the recurrent weights", [rows, units]),
        part(op.optional(3), "the bias", [2, rows]),
        state(5),
        isLstm ? state(6) : -1,
        isLstm ? part(op.optional(7), "the peepholes", [3, units]) : -1,
      ];
      while (inputs.at(-1) === -1) inputs.pop();
      results.push(
        build.emit(
          "floatRecurrent",
          inputs,
          { kind, reverse: direction === "reverse" || d === 1, lengths, ...names, cellClip: 0 },
          isLstm ? 3 : 2,
        ),
      );
    }
    setOutputs(op, results, batchFirst);
  };
}

function functionsOf(op: OnnxNode, direction: number, kind: Kind) {
  const own = kind === "rnn" ? ["Tanh"] : kind === "lstm" ? ["Sigmoid", "Tanh", "Tanh"] : ["Sigmoid", "Tanh"];
  const given = op.texts("activations");
  const chosen = given.length > 0 ? given.slice(direction * own.length, (direction + 1) * own.length) : own;
  const alpha = op.floats("activation_alpha")?.[direction] ?? 0.01;
  const [first, second = first, third = second] = chosen.map((name) => {
    const known = FUNCTIONS[name.toLowerCase()];
    if (!known || (name.toLowerCase() !== "leakyrelu" && ["affine", "hardSigmoid"].includes(known))) {
      throw op.unsupported(`the activation ${name}`, "Sigmoid, Tanh, Relu, LeakyRelu and Softplus can be");
    }
    return known;
  });
  const isRelu = chosen.some((name) => name.toLowerCase() === "relu");
  const [gateFn, candidateFn, outputFn] = (
    kind === "rnn" ? ["sigmoid", first!, first!] : [first!, second!, third!]
  ) as [MapName, MapName, MapName];
  // relu is the leaky one with a slope of 0
  const leaky = (name: MapName): MapName => (name === "clip" ? "leakyRelu" : name);
  return {
    gateFn: leaky(gateFn),
    candidateFn: leaky(candidateFn),
    outputFn: leaky(outputFn),
    alpha: isRelu ? 0 : alpha,
  };
}

/** Y [steps, directions, batch, units] and the last states [directions, batch, units], or batch first. */
function setOutputs(op: OnnxNode, results: readonly (readonly number[])[], batchFirst: boolean): void {
  const { build } = op;
  const [steps, batch, units] = build.at(results[0]![0]!).shape as [number, number, number];
  const joined = (ids: readonly number[], axis: number): number =>
    ids.length === 1 ? ids[0]! : build.one("concat", ids, { axis, activation: "none" });
  if (op.wants(0)) {
    const every = joined(
      results.map(([y]) => build.reshape(y!, [steps, 1, batch, units])),
      1,
    );
    op.set(0, batchFirst ? build.transpose(every, [2, 0, 1, 3]) : every, TYPE.float);
  }
  for (const output of [1, 2]) {
    if (!op.wants(output)) continue;
    const last = joined(
      results.map((ids) => build.reshape(ids[output]!, [1, batch, units])),
      0,
    );
    op.set(output, batchFirst ? build.transpose(last, [1, 0, 2]) : last, TYPE.float);
  }
}

export const RECURRENT: Readonly<Record<string, Importer>> = {
  GRU: recurrent((op) => (op.int("linear_before_reset", 0) ? "gruResetAfter" : "gruResetBefore"), 3),
  LSTM: recurrent(() => "lstm", 4),
  RNN: recurrent(() => "rnn", 1),
};
