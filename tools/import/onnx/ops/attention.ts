// ONNX's Attention (opset 23 and later): scaled products, soft cap, masks, softmax, products with the values. Key and
// value may be cached (past and present), heads grouped, masks boolean or added, causal, windowed or by valid length.

import type { Value } from "../builder.ts";
import type { Importer, OnnxNode } from "../node.ts";
import { isFloatType } from "../tensors.ts";

const OPEN = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };
const NOTHING = Number.NEGATIVE_INFINITY;

/** [batch, heads, length, size], from that or from [batch, length, heads · size]. */
function heads(op: OnnxNode, value: Value, count: number): number {
  const { build } = op;
  const x = build.plain(value);
  if (value.shape.length === 4) return x;
  const [batch, length, width] = value.shape as [number, number, number];
  if (count < 1 || width % count !== 0) throw op.unsupported(`${count} heads of a width of ${width}`);
  return build.transpose(build.reshape(x, [batch, length, count, width / count]), [0, 2, 1, 3]);
}

const attention: Importer = (op) => {
  const { build } = op;
  const [q3, k3, v3] = [op.input(0), op.input(1), op.input(2)];
  const q = heads(op, q3, op.int("q_num_heads", 0));
  let k = heads(op, k3, op.int("kv_num_heads", 0));
  let v = heads(op, v3, op.int("kv_num_heads", 0));
  const [pastK, pastV] = [op.optional(4), op.optional(5)];
  const offset = pastK ? pastK.shape[2]! : 0;
  if (pastK) k = build.one("concat", [build.plain(pastK), k], { axis: 2, activation: "none" });
  if (pastV) v = build.one("concat", [build.plain(pastV), v], { axis: 2, activation: "none" });
  if (op.wants(1)) op.set(1, k, k3.type);
  if (op.wants(2)) op.set(2, v, v3.type);
  const [batch, qHeads, qLength, size] = build.at(q).shape as [number, number, number, number];
  const [, kHeads, kLength] = build.at(k).shape as [number, number, number, number];
  const repeated = (x: number): number => {
    if (qHeads === kHeads) return x;
    const places = Array.from({ length: qHeads }, (_, i) => Math.floor((i * kHeads) / qHeads));
    return build.one("gather", [x, build.ints(places)], { axis: 1 });
  };
  const root = Math.sqrt(op.has("scale") ? op.float("scale", 1) : 1 / Math.sqrt(size));
  const [left, right] = [build.map("affine", q, root, 0), build.map("affine", repeated(k), root, 0)];
  let scores = build.one("floatMatmul", [left, right], { transposeB: true, ...OPEN });
  const mode = op.int("qk_matmul_output_mode", 0);
  if (mode === 0 && op.wants(3)) op.set(3, scores, q3.type);
  const cap = op.float("softcap", 0);
  if (cap > 0) scores = build.map("affine", build.map("tanh", build.map("affine", scores, 1 / cap, 0)), cap, 0);
  if (mode === 1 && op.wants(3)) op.set(3, scores, q3.type);
  const bias = biasOf(op, batch, qLength, kLength, offset);
  const biased = bias === undefined ? scores : build.zip("add", scores, bias);
  if (mode === 2 && op.wants(3)) op.set(3, biased, q3.type);
  let weights = build.one("floatSoftmax", [biased], { log: false });
  if (bias !== undefined) {
    // rows of which all is masked are 0 whatever the scores were
    const most = build.one("reduce", [bias], { fn: "max", axes: [build.at(bias).shape.length - 1], keepDims: true });
    weights = build.one("select", [build.zip("equal", most, build.scalar(NOTHING)), build.scalar(0), weights], {});
  }
  if (mode === 3 && op.wants(3)) op.set(3, weights, q3.type);
  const y = build.one("floatMatmul", [weights, repeated(v)], { transposeB: false, ...OPEN });
  if (q3.shape.length === 4) return void op.set(0, y, q3.type);
  const width = build.at(y).shape[3]!;
  op.set(0, build.reshape(build.transpose(y, [0, 2, 1, 3]), [batch, qLength, qHeads * width]), q3.type);
};

/** What is added to the scores: −∞ where a key is hidden; undefined where none is. */
function biasOf(op: OnnxNode, batch: number, rows: number, columns: number, past: number): number | undefined {
  const { build } = op;
  const parts: number[] = [];
  const mask = op.optional(3);
  if (mask) {
    let id = build.plain(mask);
    const missing = columns - mask.shape.at(-1)!;
    const isFloat = isFloatType(mask.type);
    if (missing > 0) {
      const paddings = mask.shape.map((_, axis): [number, number] => [0, axis === mask.shape.length - 1 ? missing : 0]);
      id = build.one("pad", [id], { paddings, value: isFloat ? NOTHING : 0 });
    }
    parts.push(isFloat ? id : build.one("select", [id, build.scalar(0), build.scalar(NOTHING)], {}));
  }
  const valid = op.optional(6);
  const lengths = valid && build.plain(valid);
  const [leftSize, rightSize] = [op.int("left_window_size", -1), op.int("right_window_size", -1)];
  const causal = op.int("is_causal", 0) === 1;
  if (causal || leftSize >= 0 || rightSize >= 0) {
    // query i stands at i + offset; with a static cache each item of the batch has its own
    const places = (count: number, shape: readonly number[]) =>
      build.constant(
        "int32",
        shape,
        Int32Array.from({ length: count }, (_, i) => i),
      );
    const from = places(rows, [rows, 1]);
    const start =
      lengths !== undefined && !op.optional(4)
        ? build.zip(
            "add",
            build.reshape(build.zip("sub", lengths, build.scalar(rows, "int32")), [batch, 1, 1, 1]),
            from,
          )
        : build.zip("add", from, build.scalar(past, "int32"));
    const keys = places(columns, [1, columns]);
    const hide = (allowed: number): void =>
      void parts.push(build.one("select", [allowed, build.scalar(0), build.scalar(NOTHING)], {}));
    if (causal) hide(build.zip("lessEqual", keys, start));
    if (leftSize >= 0) hide(build.zip("lessEqual", build.zip("sub", start, keys), build.scalar(leftSize, "int32")));
    if (rightSize >= 0) hide(build.zip("lessEqual", build.zip("sub", keys, start), build.scalar(rightSize, "int32")));
  }
  if (lengths !== undefined) {
    const keys = build.constant(
      "int32",
      [columns],
      Int32Array.from({ length: columns }, (_, i) => i),
    );
    const within = build.zip("less", keys, build.reshape(lengths, [batch, 1, 1, 1]));
    parts.push(build.one("select", [within, build.scalar(0), build.scalar(NOTHING)], {}));
  }
  return parts.length === 0 ? undefined : parts.reduce((sum, part) => build.zip("add", sum, part));
}

export const ATTENTION: Readonly<Record<string, Importer>> = { Attention: attention };
