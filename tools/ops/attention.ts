// attention: softmax(scale · q kᵀ) v for each head in integers. assembly/ops/attention.ts draws it; with exact sums
//
//   s[j] = Σ (q − zq)(k[j] − zk)        d[j] = min(1023, rne(f32(f32(max s − s[j]) · f32(f32(sq · sk) · f32(64 · scale)))))
//   e[j] = round(4095 · exp(−d[j] / 64)), 0 where masked
//   out  = clamp(rne(f32(f32(Σ e[j] (v[j] − zv)) · f32(f32(sv / so) / f32(Σ e[j])))) + zo), zo where no key counts
//
// The scores are never rounded to 8 bits, so they need no scale of their own.

import { AttentionFlag, Attention as Field } from "../../assembly/abi/sequences.ts";
import { Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { type Attributes, elementCount, type Node, type Tensor } from "../graph/graph.ts";
import { exponential } from "./exponential.ts";
import type { Operator, Ref, Value } from "./operator.ts";
import { perTensor, requantize, roundEven } from "./quantization.ts";
import { present, requireDType, requireRank } from "./window.ts";

const STEPS = 64;
const ENTRIES = 1024;
const MOST_KEYS = 2048;
const MOST_WIDTH = 16384;

const TABLE = Int16Array.from({ length: ENTRIES }, (_, i) => Math.round(4095 * exponential(-i / STEPS)));

interface Sizes {
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
  readonly width: number;
}

function sizesOf(q: Tensor, k: Tensor, { heads }: Attributes["attention"]): Sizes {
  const [batch, queries, all] = q.shape as [number, number, number];
  return { batch, queries, keys: k.shape[1]!, width: all / heads };
}

function scales(q: Tensor, k: Tensor, v: Tensor, out: Tensor, node: Node<"attention">) {
  const [sq, sk, sv, so] = [q, k, v, out].map((tensor) => perTensor(tensor, node.name).scale) as [
    number,
    number,
    number,
    number,
  ];
  return {
    score: Math.fround(Math.fround(sq * sk) * Math.fround(STEPS * node.attrs.scale)),
    out: Math.fround(sv / so),
  };
}

/** The first and past the last key that query `i` sees. */
function seen({ attrs }: Node<"attention">, { queries, keys }: Sizes, i: number, count: number): [number, number] {
  const [first, end] = attrs.counted === "last" ? [keys - count, keys] : [0, count];
  return [first, attrs.causal ? Math.min(end, Math.max(0, i + keys - queries + 1)) : end];
}

function countOf(counts: Value | undefined, batch: number, keys: number, node: string): number {
  if (!counts) return keys;
  const zero = counts.dtype === "int8" ? perTensor(counts, node).zeroPoint : 0;
  return Math.max(0, Math.min(keys, Number(counts.data[batch]) - zero));
}

export const attention: Operator<"attention"> = {
  name: "attention",

  check(node, inputs, outputs) {
    const { heads, keyHeads, scale } = node.attrs;
    const [q, k, v] = ["queries", "keys", "values"].map((what, i) => present(inputs[i], node.name, what)) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    for (const tensor of [q, k, v, outputs[0]!]) {
      requireDType(tensor, ["int8"], node.name);
      requireRank(tensor, 3, node.name);
      perTensor(tensor, node.name);
    }
    const { batch, keys, width } = sizesOf(q, k, node.attrs);
    const wanted = [batch, keys, keyHeads * width].join();
    if (!Number.isInteger(width) || heads % keyHeads !== 0 || k.shape.join() !== wanted || v.shape.join() !== wanted) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: ${heads} heads over queries [${q.shape}] need keys and values [batch, keys, ${keyHeads} · width] but got [${k.shape}] and [${v.shape}].`,
      );
    }
    if (keys > MOST_KEYS || width > MOST_WIDTH) {
      throw new ToolError(
        "UNSUPPORTED",
        `${node.name}: ${keys} keys of width ${width} but at most ${MOST_KEYS} of ${MOST_WIDTH} are supported; attend to fewer.`,
      );
    }
    if (!(scale > 0 && Number.isFinite(scales(q, k, v, outputs[0]!, node).score))) {
      throw new ToolError("BAD_GRAPH", `${node.name}: the scale must be positive and finite but is ${scale}.`);
    }
    const counts = inputs[3];
    if (counts) {
      requireDType(counts, ["int8", "int32"], node.name);
      const unit = counts.dtype !== "int8" || perTensor(counts, node.name).scale === 1;
      if (elementCount(counts.shape) !== batch || !unit) {
        throw new ToolError(
          "BAD_GRAPH",
          `${node.name}: the counts "${counts.name}" must be one whole number a batch (int32, or int8 of scale 1) but are ${counts.dtype} [${counts.shape}].`,
        );
      }
    }
    return [{ shape: q.shape, dtype: "int8" }];
  },

  reference(node, [q, k, v, counts], [output]) {
    const { heads, keyHeads } = node.attrs;
    const sizes = sizesOf(q!, k!, node.attrs);
    const { batch, queries, keys, width } = sizes;
    const [zq, zk, zv, zo] = [q!, k!, v!, output!].map((tensor) => perTensor(tensor, node.name).zeroPoint) as [
      number,
      number,
      number,
      number,
    ];
    const { score, out } = scales(q!, k!, v!, output!, node);
    const result = new Int8Array(q!.data.length).fill(zo);
    for (let b = 0; b < batch; b++) {
      const count = countOf(counts, b, keys, node.name);
      for (let h = 0; h < heads; h++) {
        const kv = (b * keys * keyHeads + Math.floor(h / (heads / keyHeads))) * width;
        for (let i = 0; i < queries; i++) {
          const at = ((b * queries + i) * heads + h) * width;
          const [first, end] = seen(node, sizes, i, count);
          const s: number[] = [];
          for (let j = first; j < end; j++) {
            let sum = 0;
            for (let c = 0; c < width; c++) {
              sum += (Number(q!.data[at + c]) - zq) * (Number(k!.data[kv + j * keyHeads * width + c]) - zk);
            }
            s.push(sum);
          }
          if (s.length === 0) continue;
          const most = s.reduce((a, b) => Math.max(a, b));
          const e = s.map((one) => {
            const steps = Math.fround(Math.fround(most - one) * score);
            return TABLE[Math.min(ENTRIES - 1, roundEven(Math.min(ENTRIES - 1, steps)))]!;
          });
          const scale = Math.fround(out / e.reduce((a, b) => a + b));
          for (let c = 0; c < width; c++) {
            const sum = e.reduce(
              (total, weight, j) => total + weight * (Number(v!.data[kv + (first + j) * keyHeads * width + c]) - zv),
              0,
            );
            result[at + c] = requantize(sum, scale, zo, -128, 127);
          }
        }
      }
    }
    return [result];
  },

  lower(node, lowering) {
    const { heads, keyHeads, causal, counted } = node.attrs;
    const [q, k, v, counts] = node.inputs.map((id) => (id < 0 ? undefined : lowering.tensor(id)));
    const output = lowering.tensor(node.outputs[0]!);
    const { batch, queries, keys, width } = sizesOf(q!, k!, node.attrs);
    const zero = (tensor: Tensor): number => perTensor(tensor, node.name).zeroPoint;
    const { score, out } = scales(q!, k!, v!, output, node);
    const flags =
      (causal ? AttentionFlag.Causal : 0) |
      (counts ? AttentionFlag.Counted : 0) |
      (counts?.dtype === "int8" ? AttentionFlag.CountsInt8 : 0) |
      (counted === "last" ? AttentionFlag.CountsLast : 0);
    const more: [number, Ref][] = [[Field.Values, lowering.at(node.inputs[2]!)]];
    if (counts) more.push([Field.Counts, lowering.at(node.inputs[3]!)]);
    const eights = (size: number): number => Math.ceil(size / 8) * 8;
    const [keys8, width8] = [eights(keys), eights(width)];
    const rows = 4 * (width8 * 2 + keys8 * 4 + keys8 * 2 + width8 * 4);
    lowering.emit({
      op: Op.Attention,
      input: lowering.at(node.inputs[0]!),
      input2: lowering.at(node.inputs[1]!),
      output: lowering.at(node.outputs[0]!),
      params: lowering.params(new Uint8Array(TABLE.buffer)),
      more,
      scratchBytes: keys8 * (width + (width & 1)) * 2 + width8 * keys8 * 2 + rows,
      fields: [
        [Field.Batch, batch],
        [Field.Queries, queries],
        [Field.Keys, keys],
        [Field.Heads, heads],
        [Field.KeyHeads, keyHeads],
        [Field.Width, width],
        [Field.QZero, zero(q!)],
        [Field.KZero, zero(k!)],
        [Field.VZero, zero(v!)],
        [Field.OutZero, zero(output)],
        [Field.Flags, flags],
        [Field.CountZero, counts?.dtype === "int8" ? zero(counts) : 0],
      ],
      floats: [
        [Field.ScoreScale, score],
        [Field.OutScale, out],
      ],
      kernelName: `${heads} heads of ${width}, s8, exact scores${causal ? ", causal" : ""}`,
      macs: 2 * batch * heads * queries * keys * width,
    });
  },
};
