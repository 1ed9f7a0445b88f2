// Writes a float net of the peers (a list of NHWC layers and one file of weights) as an ONNX file in NCHW, which
// ONNX Runtime fuses and lays out by itself. Enough of protobuf for that, and no more.

/** @returns the ONNX file's bytes; throws for a layer that is not here */
export function writeFloatOnnx(plan, weights) {
  const nodes = [];
  const constants = [];
  const constant = (name, shape, data) => {
    constants.push(message([ints(1, shape), int(2, FLOAT), text(8, name), field(9, new Uint8Array(data.buffer))]));
    return name;
  };
  const read = ({ off, shape }) => new Float32Array(weights, off, product(shape));
  for (const layer of plan.ops) {
    const linear = layer.act && layer.act !== "linear";
    if (linear && layer.act !== "relu") throw new Error(`activation ${layer.act} is not among the bench's`);
    const result = `${layer.y}`;
    const own = linear ? `${result} before relu` : result;
    const { type, inputs, attributes } = toNode(layer, read, constant);
    nodes.push(node(type, inputs, own, attributes));
    if (linear) nodes.push(node("Relu", [own], result, []));
  }
  const [n, h, w, c] = plan.ishape;
  const inputShape = c === undefined ? plan.ishape : [n, c, h, w];
  const graph = message([
    ...nodes.map((each) => field(1, each)),
    text(2, "float"),
    ...constants.map((each) => field(5, each)),
    field(11, port(`${plan.input}`, inputShape)),
    field(12, port(`${plan.output}`)),
  ]);
  const opset = message([text(1, ""), int(2, 17)]);
  return Uint8Array.from(message([int(1, 8), field(7, graph), field(8, opset)]));
}

function toNode(layer, read, constant) {
  const x = `${layer.x}`;
  const bias = () => constant(`${layer.y} bias`, layer.b.shape, read(layer.b).slice());
  const window = () => [
    listAttribute("strides", layer.stride),
    textAttribute("auto_pad", layer.pad === "same" ? "SAME_UPPER" : "VALID"),
  ];
  switch (layer.op) {
    case "CONV_2D": {
      const [kh, kw, c, n] = layer.w.shape;
      const turned = toOutputFirst(read(layer.w), kh * kw, c, n);
      const weight = constant(`${layer.y} weight`, [n, c, kh, kw], turned);
      return { type: "Conv", inputs: [x, weight, bias()], attributes: window() };
    }
    case "DEPTHWISE_CONV_2D": {
      const [kh, kw, c, m] = layer.w.shape;
      const turned = toOutputFirst(read(layer.w), kh * kw, 1, c * m);
      const weight = constant(`${layer.y} weight`, [c * m, 1, kh, kw], turned);
      return { type: "Conv", inputs: [x, weight, bias()], attributes: [...window(), intAttribute("group", c)] };
    }
    case "FULLY_CONNECTED":
      return {
        type: "Gemm",
        inputs: [x, constant(`${layer.y} weight`, layer.w.shape, read(layer.w).slice()), bias()],
        attributes: [],
      };
    case "ADD":
      return { type: "Add", inputs: [x, `${layer.x2}`], attributes: [] };
    case "AVERAGE_POOL_2D":
      return { type: "AveragePool", inputs: [x], attributes: [listAttribute("kernel_shape", layer.k), ...window()] };
    case "RESHAPE":
      // of one cell a channel, where NCHW and NHWC are the same
      return { type: "Flatten", inputs: [x], attributes: [] };
    case "SOFTMAX":
      return { type: "Softmax", inputs: [x], attributes: [] };
    default:
      throw new Error(`${layer.op} is not among the bench's layers`);
  }
}

/** [cells, c, n] as [n, c, cells]. */
function toOutputFirst(data, cells, c, n) {
  const turned = new Float32Array(data.length);
  for (let cell = 0; cell < cells; cell++)
    for (let i = 0; i < c; i++)
      for (let o = 0; o < n; o++) turned[(o * c + i) * cells + cell] = data[(cell * c + i) * n + o];
  return turned;
}

// onnx.proto: the field numbers of what is used
export const FLOAT = 1;
const product = (shape) => shape.reduce((a, b) => a * b, 1);
export const node = (type, inputs, output, attributes) =>
  message([
    ...inputs.map((name) => text(1, name)),
    text(2, output),
    text(3, output),
    text(4, type),
    ...attributes.map((each) => field(5, each)),
  ]);
export const intAttribute = (name, value) => message([text(1, name), int(3, value), int(20, 2)]);
export const textAttribute = (name, value) => message([text(1, name), text(4, value), int(20, 3)]);
const listAttribute = (name, values) => message([text(1, name), ints(8, values), int(20, 7)]);

function port(name, shape) {
  const sizes = shape?.map((size) => field(1, message([int(1, size)])));
  const tensor = message([int(1, FLOAT), ...(sizes ? [field(2, message(sizes))] : [])]);
  return message([text(1, name), field(2, message([field(1, tensor)]))]);
}

export const message = (fields) => fields.flat();
export const int = (id, value) => [...varint(id << 3), ...varint(value)];
export const ints = (id, values) => values.flatMap((value) => int(id, value));
export const text = (id, value) => field(id, new TextEncoder().encode(value));
const varint = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);

export function field(id, bytes) {
  const head = [...varint((id << 3) | 2), ...varint(bytes.length)];
  return head.concat(Array.from(bytes));
}
