// The layers that guest.mjs times: recurrent ones over fifty steps, attention, front ends; as graphs of Mote and as
// float nets of ONNX. Invariant: weights and inputs are drawn from a fixed seed, and both forms have the same.
import { FRONT_ENDS } from "../../../dist/tools/graph/frontEnds.js";
import { FLOAT, field, int, intAttribute, ints, message, node, text } from "../peers/onnxFloat.mjs";

let state = 0x9e3779b9;
const word = () => {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
};
const int8 = (count) => Int8Array.from({ length: count }, () => (word() % 255) - 127);
const float = (count, most) => Float32Array.from({ length: count }, () => ((word() / 2 ** 32) * 2 - 1) * most);
const quant = (scale, zero = 0) => ({ scale: Float32Array.of(scale), zeroPoint: Int32Array.of(zero), axis: 0 });
const tensor = (name, shape, dtype, scale, zero, data) => ({
  name,
  shape,
  dtype,
  ...(scale && { quant: quant(scale, zero) }),
  ...(data && { data }),
});

export const STEPS = 50;
const GATES = { rnn: 1, gru: 3, lstm: 4 };

/** A whole sequence of STEPS, as many features as units; the state in `bits`. */
function recurrent(op, units, bits = 8) {
  const rows = GATES[op] * units;
  const weights = (name) => tensor(name, [rows, units], "int8", 2 / 127 / Math.sqrt(units), 0, int8(rows * units));
  const tensors = [
    tensor("x", [1, STEPS, units], "int8", 1 / 32, 3),
    weights("w"),
    weights("r"),
    tensor("y", [1, STEPS, units], "int8", 1 / 128, 0),
    bits === 8 ? tensor("h", [1, units], "int8", 1 / 128, 0) : tensor("h", [1, units], "int16", 2 ** -15, 0),
    ...(op === "lstm" ? [tensor("c", [1, units], "int16", 2 ** -11, 0)] : []),
  ];
  const absent = op === "lstm" ? [-1, -1, -1, -1] : [-1, -1, -1];
  const attrs = {
    direction: "forward",
    timeMajor: false,
    ...(op === "gru" && { resetAfter: true }),
    ...(op === "lstm" && { cellClip: 0 }),
  };
  const outputs = op === "lstm" ? [3, 4, 5] : [3, 4];
  const name = `${op} ${units}, ${STEPS} steps, state int${bits}`;
  const nodes = [{ op, name, inputs: [0, 1, 2, ...absent], outputs, attrs }];
  return {
    name,
    op,
    units,
    macs: STEPS * rows * 2 * units,
    graph: { name, tensors, nodes, inputs: [0], outputs: [3] },
  };
}

export const ATTENTION = { heads: 4, width: 128, tokens: 64 };

function attention() {
  const { heads, width, tokens } = ATTENTION;
  const tensors = ["q", "k", "v", "y"].map((name) => tensor(name, [1, tokens, width], "int8", 1 / 32, 3));
  const attrs = { heads, keyHeads: heads, scale: 1 / Math.sqrt(width / heads), causal: false, counted: "first" };
  const name = `attention ${heads} heads, ${width} wide, ${tokens} tokens`;
  const nodes = [{ op: "attention", name, inputs: [0, 1, 2], outputs: [3], attrs }];
  return {
    name,
    op: "attention",
    macs: 2 * tokens * tokens * width,
    graph: { name, tensors, nodes, inputs: [0, 1, 2], outputs: [3] },
  };
}

function frontEnd() {
  const { settings } = FRONT_ENDS.kws;
  const tensors = [tensor("x", [1, 16000], "float32"), tensor("y", [49, 10], "int8", 0.58, 83)];
  const nodes = [{ op: "spectrum", name: "mfcc", inputs: [0], outputs: [1], attrs: settings }];
  return {
    name: "MFCC of a second",
    op: "spectrum",
    macs: 0,
    graph: { name: "mfcc", tensors, nodes, inputs: [0], outputs: [1] },
  };
}

export const SEQUENCES = [
  ...[64, 128].flatMap((units) => ["gru", "lstm"].flatMap((op) => [8, 16].map((bits) => recurrent(op, units, bits)))),
  recurrent("rnn", 64),
  attention(),
  frontEnd(),
];

export const inputsOf = ({ tensors, inputs }) =>
  inputs.map((id) => {
    const { shape, dtype } = tensors[id];
    const count = shape.reduce((a, b) => a * b);
    return dtype === "float32" ? float(count, 1) : int8(count);
  });

/** The layer as a float ONNX file with the same sizes, in each form that the peer may be fastest in; [] where it has none. */
export function onnxForms({ op, units, graph: own }) {
  if (op === "gru" || op === "lstm") {
    const rows = GATES[op] * units;
    // ONNX has an LSTM's gates as input, output, forget, candidate
    const order = op === "lstm" ? [0, 3, 1, 2] : [0, 1, 2];
    const constants = ["w", "r"].map((name, i) => {
      const { data, quant } = own.tensors[1 + i];
      const gates = order.flatMap((gate) => Array.from(data.subarray(gate * units ** 2, (gate + 1) * units ** 2)));
      return constant(
        name,
        [1, rows, units],
        Float32Array.from(gates, (q) => q * quant.scale[0]),
      );
    });
    const attributes = [
      intAttribute("hidden_size", units),
      ...(op === "gru" ? [intAttribute("linear_before_reset", 1)] : []),
    ];
    const input = { name: "x", shape: [STEPS, 1, units] };
    return [
      {
        form: "float",
        inputs: [input],
        bytes: model([node(op.toUpperCase(), ["x", "w", "r"], "y", attributes)], constants, [input]),
      },
    ];
  }
  if (op !== "attention") return [];
  const { heads, width, tokens } = ATTENTION;
  const inputs = ["q", "k", "v"].map((name) => ({ name, shape: [1, tokens, width] }));
  const fused = message([
    ...node("MultiHeadAttention", ["q", "k", "v"], "y", [intAttribute("num_heads", heads)]),
    ...text(7, "com.microsoft"),
  ]);
  const turned = (name, permutation) => [
    node("Reshape", [name, "shape"], `${name} heads`, []),
    node("Transpose", [`${name} heads`], `${name} turned`, [
      message([text(1, "perm"), ints(8, permutation), int(20, 7)]),
    ]),
  ];
  const plain = [
    ...turned("q", [0, 2, 1, 3]),
    ...turned("k", [0, 2, 3, 1]),
    ...turned("v", [0, 2, 1, 3]),
    node("MatMul", ["q turned", "k turned"], "s", []),
    node("Mul", ["s", "scale"], "scaled", []),
    node("Softmax", ["scaled"], "p", [message([text(1, "axis"), int(3, 3), int(20, 2)])]),
    node("MatMul", ["p", "v turned"], "o", []),
    node("Transpose", ["o"], "o turned", [message([text(1, "perm"), ints(8, [0, 2, 1, 3]), int(20, 7)])]),
    node("Reshape", ["o turned", "whole"], "y", []),
  ];
  const constants = [
    longs("shape", [1, tokens, heads, width / heads]),
    longs("whole", [1, tokens, width]),
    constant("scale", [1], Float32Array.of(1 / Math.sqrt(width / heads))),
  ];
  return [
    { form: "float, fused", inputs, bytes: model([fused], [], inputs) },
    { form: "float, MatMul and Softmax", inputs, bytes: model(plain, constants, inputs) },
  ];
}

const constant = (name, shape, data) =>
  message([ints(1, shape), int(2, FLOAT), text(8, name), field(9, new Uint8Array(data.buffer))]);
const longs = (name, values) =>
  message([
    int(1, values.length),
    int(2, 7),
    text(8, name),
    field(9, new Uint8Array(BigInt64Array.from(values, BigInt).buffer)),
  ]);
const port = ({ name, shape }) => {
  const sizes = shape?.map((size) => field(1, message([int(1, size)])));
  return message([
    text(1, name),
    field(2, message([field(1, message([int(1, FLOAT), ...(sizes ? [field(2, message(sizes))] : [])]))])),
  ]);
};

function model(nodes, constants, inputs) {
  const graph = message([
    ...nodes.map((each) => field(1, each)),
    text(2, "layer"),
    ...constants.map((each) => field(5, each)),
    ...inputs.map((each) => field(11, port(each))),
    field(12, port({ name: "y" })),
  ]);
  const opsets = [message([text(1, ""), int(2, 17)]), message([text(1, "com.microsoft"), int(2, 1)])];
  return Uint8Array.from(message([int(1, 8), field(7, graph), ...opsets.map((each) => field(8, each))]));
}
