// floatRecurrent: GRU (reset before or after the product), LSTM and simple RNN in float32, one direction. First the
// products of all steps with the input, as one floatMatmul with both biases where the rule allows it; then the core's
// recurrent step. Every product and sum is rounded to float32 in the order written here.

import { Op } from "../../assembly/abi.ts";
import { FloatMatmul, FloatRecurrent, MatmulKernel, RecurrentKernel } from "../../assembly/floatAbi.ts";
import { ToolError } from "../errors.ts";
import type { MapName, Node, Tensor } from "../graph/graph.ts";
import { mapFloat } from "./floatMath.ts";
import { dot, floatBlocks, requireConstant } from "./floatProducts.ts";
import { MAP_CODES } from "./map.ts";
import type { Operator, Value } from "./operator.ts";
import { emitBox } from "./stridedCopy.ts";
import { present, requireDType } from "./window.ts";

const KERNELS = {
  gruResetBefore: RecurrentKernel.GruResetBefore,
  gruResetAfter: RecurrentKernel.GruResetAfter,
  lstm: RecurrentKernel.Lstm,
  rnn: RecurrentKernel.Rnn,
} as const;
const GATES = { gruResetBefore: 3, gruResetAfter: 3, lstm: 4, rnn: 1 } as const;
const f32 = Math.fround;
const up8 = (n: number): number => Math.ceil(n / 8) * 8;

function sizes({ attrs }: Node<"floatRecurrent">, x: Tensor, r: Tensor) {
  const [steps, batch, inputs] = x.shape as [number, number, number];
  const gates = GATES[attrs.kind];
  return { steps, batch, inputs, units: r.shape[1]!, gates, states: attrs.kind === "lstm" ? 2 : 1 };
}

/** Biases of the input products and of those with h: only a reset after the product keeps its own for the candidate. */
function biases(node: Node<"floatRecurrent">, bias: Float32Array | undefined, rows: number, units: number) {
  const input = new Float32Array(rows);
  const own = new Float32Array(rows);
  for (let i = 0; i < rows && bias; i++) {
    const apart = node.attrs.kind === "gruResetAfter" && i >= 2 * units;
    input[i] = apart ? bias[i]! : bias[i]! + bias[rows + i]!;
    if (apart) own[i] = bias[rows + i]!;
  }
  return { input, own };
}

export const floatRecurrent: Operator<"floatRecurrent"> = {
  name: "floatRecurrent",

  check(node, inputs) {
    const x = present(inputs[0], node.name, "input");
    const w = present(inputs[1], node.name, "input weights");
    const r = present(inputs[2], node.name, "recurrent weights");
    requireDType(x, ["float32"], node.name);
    for (const [i, what] of [
      [1, "weights"],
      [2, "weights"],
      [3, "bias"],
      [6, "peepholes"],
    ] as const) {
      requireConstant(inputs[i], what, node.name);
    }
    const { steps, batch, inputs: width, units, gates, states } = sizes(node, x, r);
    const rows = gates * units;
    const state = `${batch},${units}`;
    const shapes: [Tensor | undefined, string][] = [
      [w, `${rows},${width}`],
      [r, `${rows},${units}`],
      [inputs[3], `2,${rows}`],
      [inputs[4], state],
      [inputs[5], state],
      [inputs[6], `3,${units}`],
    ];
    const wrong = shapes.find(([tensor, shape]) => tensor && tensor.shape.join() !== shape);
    const { lengths } = node.attrs;
    const badLength = lengths.length > 0 && (lengths.length !== batch || lengths.some((n) => !(n >= 0 && n <= steps)));
    if (x.shape.length !== 3 || wrong || badLength) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: ${wrong ? `"${wrong[0]!.name}" is [${wrong[0]!.shape}] but must be [${wrong[1]}]` : `lengths [${lengths}] do not fit [${x.shape}]`}, for an input [${x.shape}] and ${units} units.`,
      );
    }
    const last = { shape: [batch, units], dtype: "float32" as const };
    return [{ shape: [steps, batch, units], dtype: "float32" }, ...Array.from({ length: states }, () => last)];
  },

  reference(node, inputs) {
    const [x, w, r, bias, h0, c0, peepholes] = inputs;
    const { steps, batch, inputs: width, units, gates } = sizes(node, x!, r!);
    const rows = gates * units;
    const { input, own } = biases(node, bias?.data as Float32Array | undefined, rows, units);
    const out = new Float32Array(steps * batch * units);
    const hs = new Float32Array(batch * units);
    const cs = new Float32Array(batch * units);
    if (h0) hs.set(h0.data as Float32Array);
    if (c0) cs.set(c0.data as Float32Array);
    for (let b = 0; b < batch; b++) {
      const h = hs.subarray(b * units, (b + 1) * units);
      const c = cs.subarray(b * units, (b + 1) * units);
      const length = node.attrs.lengths[b] ?? steps;
      for (let i = 0; i < length; i++) {
        const t = node.attrs.reverse ? length - 1 - i : i;
        const at = (t * batch + b) * width;
        const products = Float32Array.from(input, (start, row) =>
          dot(start, x!.data as Float32Array, at, w!.data as Float32Array, row * width, 1, width),
        );
        stepOnce(node, products, r!, own, h, c, peepholes);
        out.set(h, (t * batch + b) * units);
      }
    }
    return node.attrs.kind === "lstm" ? [out, hs, cs] : [out, hs];
  },

  lower(node, lowering) {
    const [xId, wId, rId, biasId = -1, hId = -1, cId = -1, peepId = -1] = node.inputs as [
      number,
      number,
      number,
      ...number[],
    ];
    const [x, w, r] = [lowering.tensor(xId), lowering.tensor(wId), lowering.tensor(rId)];
    const { steps, batch, inputs: width, units, gates, states } = sizes(node, x, r);
    const rows = gates * units;
    const bias = biasId < 0 ? undefined : (lowering.tensor(biasId).data as Float32Array);
    const { input, own } = biases(node, bias, rows, units);
    const weights = w.data as Float32Array;
    const products = lowering.temporary(steps * batch * rows * 4);
    lowering.emit({
      op: Op.FloatMatmul,
      kernel: MatmulKernel.Constant,
      input: lowering.at(xId),
      output: products,
      params: lowering.params(floatBlocks(rows, width, input, (n, i) => weights[n * width + i]!)),
      fields: [
        [FloatMatmul.Batch0, 1],
        [FloatMatmul.Batch1, 1],
        [FloatMatmul.M, steps * batch],
        [FloatMatmul.N, rows],
        [FloatMatmul.K, width],
      ],
      floats: [
        [FloatMatmul.Min, Number.NEGATIVE_INFINITY],
        [FloatMatmul.Max, Number.POSITIVE_INFINITY],
      ],
      kernelName: "input products, gemm 4×8 f32",
      macs: steps * batch * rows * width,
    });
    const cells = batch * units;
    const first = lowering.temporary(states * cells * 4);
    const box = { dims: [cells], inStrides: [1], inOffset: 0, outStrides: [1], outOffset: 0 };
    const none = lowering.params(new Uint8Array(cells * 4));
    for (const [i, id] of [hId, cId].slice(0, states).entries()) {
      const to = () => ({ ...first, byteOffset: i * cells * 4 }) as typeof first;
      emitBox(lowering, node.name, id < 0 ? none : lowering.at(id), to, box, "float32");
    }
    const every = steps * cells;
    const result = lowering.temporary((every + states * cells) * 4);
    const peepholes = peepId < 0 ? undefined : (lowering.tensor(peepId).data as Float32Array);
    lowering.emit({
      op: Op.FloatRecurrent,
      kernel: KERNELS[node.attrs.kind],
      input: products,
      input2: first,
      output: result,
      params: lowering.params(recurrentParams(node, r, own, peepholes, batch, steps)),
      scratchBytes: (gates * up8(units) + units) * 4,
      fields: [
        [FloatRecurrent.Steps, steps],
        [FloatRecurrent.Batch, batch],
        [FloatRecurrent.Units, units],
        [FloatRecurrent.Reverse, Number(node.attrs.reverse)],
        [FloatRecurrent.GateFn, MAP_CODES[node.attrs.gateFn]],
        [FloatRecurrent.CandidateFn, MAP_CODES[node.attrs.candidateFn]],
        [FloatRecurrent.OutputFn, MAP_CODES[node.attrs.outputFn]],
        [FloatRecurrent.Peepholes, Number(peepholes !== undefined)],
      ],
      floats: [
        [FloatRecurrent.Alpha, node.attrs.alpha],
        [FloatRecurrent.CellClip, node.attrs.cellClip],
      ],
      kernelName: `${node.attrs.kind} f32`,
      macs: steps * batch * rows * units,
    });
    for (const [i, id] of node.outputs.entries()) {
      const dims = [i === 0 ? every : cells];
      const from = { ...result, byteOffset: (i === 0 ? 0 : every + (i - 1) * cells) * 4 } as typeof result;
      emitBox(lowering, node.name, from, (offset) => lowering.at(id, offset), { ...box, dims }, "float32");
    }
  },
};

function recurrentParams(
  node: Node<"floatRecurrent">,
  r: Tensor,
  own: Float32Array,
  peepholes: Float32Array | undefined,
  batch: number,
  steps: number,
): Uint8Array {
  const units = r.shape[1]!;
  const weights = r.data as Float32Array;
  const lengths = Int32Array.from({ length: batch }, (_, b) => node.attrs.lengths[b] ?? steps);
  const gates = Array.from({ length: GATES[node.attrs.kind] }, (_, gate) =>
    floatBlocks(units, units, own.subarray(gate * units), (n, i) => weights[(gate * units + n) * units + i]!),
  );
  const peep = peepholes ? [new Uint8Array(Float32Array.from(peepholes).buffer)] : [];
  return Buffer.concat([new Uint8Array(lengths.buffer), ...gates, ...peep]);
}

/** One step of one sequence: `x` holds the input products; h and c are replaced. */
function stepOnce(
  { attrs }: Node<"floatRecurrent">,
  x: Float32Array,
  r: Value,
  own: Float32Array,
  h: Float32Array,
  c: Float32Array,
  peepholes: Value | undefined,
): void {
  const units = h.length;
  const clip = f32(attrs.cellClip);
  const fn = (name: MapName, value: number): number => mapFloat(MAP_CODES[name], value, f32(attrs.alpha), 1);
  const product = (row: number, from: Float32Array): number =>
    dot(own[row]!, from, 0, r.data as Float32Array, row * units, 1, units);
  const rows = (gate: number, from = h): Float32Array =>
    Float32Array.from({ length: units }, (_, i) => product(gate * units + i, from));
  if (attrs.kind === "rnn") {
    h.set(rows(0).map((p, i) => fn(attrs.candidateFn, f32(x[i]! + p))));
    return;
  }
  if (attrs.kind === "lstm") {
    const [pi, po, pf, pc] = [rows(0), rows(1), rows(2), rows(3)];
    const peep = (gate: number, i: number, cell: number): number =>
      peepholes ? f32((peepholes.data[gate * units + i] as number) * cell) : 0;
    for (let i = 0; i < units; i++) {
      const before = c[i]!;
      const input = f32(f32(x[i]! + pi[i]!) + peep(0, i, before));
      const forget = f32(f32(x[2 * units + i]! + pf[i]!) + peep(2, i, before));
      const candidate = fn(attrs.candidateFn, f32(x[3 * units + i]! + pc[i]!));
      const open = f32(f32(fn(attrs.gateFn, forget) * before) + f32(fn(attrs.gateFn, input) * candidate));
      const cell = clip > 0 ? Math.min(Math.max(open, -clip), clip) : open;
      const output = f32(f32(x[units + i]! + po[i]!) + peep(1, i, cell));
      c[i] = cell;
      h[i] = f32(fn(attrs.gateFn, output) * fn(attrs.outputFn, cell));
    }
    return;
  }
  const after = attrs.kind === "gruResetAfter";
  const [pz, pr] = [rows(0), rows(1)];
  const reset = pr.map((p, i) => fn(attrs.gateFn, f32(x[units + i]! + p)));
  const ph = after
    ? rows(2).map((p, i) => reset[i]! * p)
    : rows(
        2,
        reset.map((value, i) => value * h[i]!),
      );
  for (let i = 0; i < units; i++) {
    const z = fn(attrs.gateFn, f32(x[i]! + pz[i]!));
    const n = fn(attrs.candidateFn, f32(x[2 * units + i]! + ph[i]!));
    h[i] = f32(f32(f32(1 - z) * n) + f32(z * h[i]!));
  }
}
