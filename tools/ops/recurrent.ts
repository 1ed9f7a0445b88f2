// What gru, lstm and rnn share on the tools' side: their tensors, checks, reference and lowering; one step of the core a
// direction. recurrentRule.ts has the arithmetic.
//
//   params of a step:  ├ weights: per gate ⌈units / 8⌉ blocks (blocks.ts) over `in` ┼ recurrent weights: the same over `units` ┤
//
// Invariant: a gate's outputs are padded to whole blocks of eight, with weights, bias and multiplier 0.

import { Recurrent as Field, RecurrentFlag, RecurrentKernel } from "../../assembly/abi/sequences.ts";
import { Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type Node, type Tensor, zeros } from "../graph/graph.ts";
import { foldedBias, gemmBlocks, type Products } from "../pack/blocks.ts";
import { gateTables } from "./gateTables.ts";
import type { Lowering, Operator, Ref, Value } from "./operator.ts";
import { perTensor } from "./quantization.ts";
import {
  GATES,
  type GateProducts,
  type Kind,
  type Layer,
  type LayerState,
  recurrentStep,
  type Storage,
} from "./recurrentRule.ts";
import { present, requireDType, requireRank, requireWeights } from "./window.ts";

export type RecurrentName = "gru" | "lstm" | "rnn";

/** One direction's tensors; `h` and `c` are the first state. */
interface Direction<T> {
  readonly weights: T;
  readonly recurrent: T;
  readonly bias: T | undefined;
  readonly recurrentBias: T | undefined;
  readonly h: T | undefined;
  readonly c: T | undefined;
}

const KERNELS: Readonly<Record<Kind, RecurrentKernel>> = {
  rnn: RecurrentKernel.Rnn,
  gruResetAfter: RecurrentKernel.GruResetAfter,
  gruResetBefore: RecurrentKernel.GruResetBefore,
  lstm: RecurrentKernel.Lstm,
};
/** Most products of int16 · int8 for which the sum surely stays in int32 is far above this. */
const MOST_UNITS = 65535;
const NO_CLIP = 32768;
/** From so many steps on the recurrent weights are widened once for all of them: sooner it takes longer than it saves. */
const WIDENS = 6;

function kindOf(node: Node<RecurrentName>): Kind {
  if (node.op !== "gru") return node.op;
  return node.attrs.resetAfter ? "gruResetAfter" : "gruResetBefore";
}

const directionsOf = (node: Node<RecurrentName>): boolean[] =>
  ({ forward: [false], reverse: [true], bidirectional: [false, true] })[node.attrs.direction];

const inputsEach = (node: Node<RecurrentName>): number => (node.op === "lstm" ? 6 : 5);
const outputsEach = (node: Node<RecurrentName>): number => (node.op === "lstm" ? 2 : 1);

function direction<T>(node: Node<RecurrentName>, inputs: readonly (T | undefined)[], index: number): Direction<T> {
  const each = inputsEach(node);
  const [weights, recurrent, bias, recurrentBias, h, c] = inputs.slice(1 + index * each, 1 + (index + 1) * each);
  return { weights: weights!, recurrent: recurrent!, bias, recurrentBias, h, c };
}

/** How h is kept in a tensor: int8 of any scale, int16 of scale 2^-15. */
function storageOf(tensor: Tensor, node: string): Storage {
  requireDType(tensor, ["int8", "int16"], node);
  const { scale, zeroPoint } = perTensor(tensor, node);
  const wide = tensor.dtype === "int16";
  if (wide && (scale !== 2 ** -15 || zeroPoint !== 0)) {
    throw new ToolError(
      "BAD_GRAPH",
      `${node}: "${tensor.name}" is int16 of scale ${scale} and zero point ${zeroPoint} but it must have scale 2^-15 and zero point 0.`,
    );
  }
  return { scale: Math.fround(scale * 32768), inverse: Math.fround(2 ** -15 / scale), zero: zeroPoint, wide };
}

/** Fraction bits of the cell state as int16. */
function cellOf(tensor: Tensor, cellClip: number, node: string): { bits: number; wide: boolean; clip: number } {
  requireDType(tensor, ["int8", "int16"], node);
  const { scale, zeroPoint } = perTensor(tensor, node);
  const wide = tensor.dtype === "int16";
  const bits = -Math.log2(scale) + (wide ? 0 : 8);
  if (!Number.isInteger(bits) || bits < 0 || bits > 15 || zeroPoint !== 0) {
    throw new ToolError(
      "UNSUPPORTED",
      `${node}: the cell state "${tensor.name}" is ${tensor.dtype} of scale ${scale} and zero point ${zeroPoint} but its scale must be a power of two, ${wide ? "2^-15 … 1" : "2^-7 … 256"}, and its zero point 0.`,
    );
  }
  const clip = cellClip > 0 ? Math.min(32767, Math.trunc(cellClip * 2 ** bits)) : NO_CLIP;
  return { bits, wide, clip };
}

function productsOf(
  weights: Tensor,
  bias: Tensor | undefined,
  scale: number,
  zero: number,
  wide: boolean,
  node: string,
) {
  const [outputs, cells] = weights.shape as [number, number];
  const data = weights.data as Int8Array;
  const scales = weights.quant!.scale;
  // wide activations are symmetric: nothing to fold, but the sum is larger
  const most = 2 ** 31 / (wide ? 32768 : 255);
  for (let n = 0; n < outputs; n++) {
    const row = data.subarray(n * cells, (n + 1) * cells);
    const sum = row.reduce((total, w) => total + Math.abs(w), 0) + Math.abs(Number(bias?.data?.[n] ?? 0)) / 32768;
    if (sum < most) continue;
    throw new ToolError(
      "UNSUPPORTED",
      `${node}: the weights of output ${n} could sum past int32; use fewer units or an int8 state.`,
    );
  }
  const products: Products = {
    weights: Int16Array.from(data),
    outputs,
    segments: 1,
    cells,
    inputZero: zero,
    bias: bias?.data as Int32Array | undefined,
    multipliers: Float32Array.from({ length: outputs }, (_, n) =>
      Math.fround(Math.fround(scale * scales[scales.length === 1 ? 0 : n]!) * 4096),
    ),
  };
  return products;
}

interface Built {
  readonly layer: Layer;
  readonly products: { readonly input: Products; readonly recurrent: Products };
}

function build(
  node: Node<RecurrentName>,
  inputs: readonly (Tensor | undefined)[],
  outputs: readonly Tensor[],
  index: number,
): Built {
  const { weights, recurrent, bias, recurrentBias } = direction(node, inputs, index);
  const [last, lastCell] = outputs.slice(1 + index * outputsEach(node));
  const x = perTensor(inputs[0]!, node.name);
  const h = perTensor(last!, node.name);
  const hidden = storageOf(last!, node.name);
  const kind = kindOf(node);
  const products = {
    input: productsOf(weights, bias, x.scale, x.zeroPoint, false, node.name),
    recurrent: productsOf(recurrent, recurrentBias, h.scale, h.zeroPoint, hidden.wide, node.name),
  };
  const plain = (each: Products, wide: boolean): GateProducts => ({
    weights: Int8Array.from(each.weights),
    bias: wide ? (each.bias ?? new Int32Array(each.outputs)) : foldedBias(each, node.name),
    multipliers: each.multipliers,
  });
  const layer: Layer = {
    kind,
    units: recurrent.shape[1]!,
    input: plain(products.input, false),
    recurrent: plain(products.recurrent, hidden.wide),
    hidden,
    y: storageOf(outputs[0]!, node.name),
    ...(node.op === "lstm" && { cell: cellOf(lastCell!, node.attrs.cellClip, node.name) }),
  };
  return { layer, products };
}

function requireState(node: string, given: Tensor | undefined, last: Tensor): void {
  if (!given) return;
  const same = given.dtype === last.dtype && given.shape.join() === last.shape.join();
  const [a, b] = [perTensor(given, node), perTensor(last, node)];
  if (same && a.scale === b.scale && a.zeroPoint === b.zeroPoint) return;
  throw new ToolError(
    "BAD_GRAPH",
    `${node}: the first state "${given.name}" and the last one "${last.name}" must have one type and quantization.`,
  );
}

/** Batch, time, features of x, and how far apart they are. */
function walk(node: Node<RecurrentName>, shape: readonly number[]) {
  const [a, b, features] = shape as [number, number, number];
  const { timeMajor } = node.attrs;
  return timeMajor
    ? { batch: b, time: a, features, batchStride: features, timeStride: b * features }
    : { batch: a, time: b, features, batchStride: b * features, timeStride: features };
}

/** The first units of gate g land at the block's start: a gate is padded to eight outputs. */
function padded(products: Products, gates: number): Products {
  const units = products.outputs / gates;
  const wide = Math.ceil(units / 8) * 8;
  const { cells } = products;
  const weights = new Int16Array(gates * wide * cells);
  const multipliers = new Float32Array(gates * wide);
  const bias = new Int32Array(gates * wide);
  for (let g = 0; g < gates; g++) {
    weights.set(products.weights.subarray(g * units * cells, (g + 1) * units * cells), g * wide * cells);
    multipliers.set(products.multipliers.subarray(g * units, (g + 1) * units), g * wide);
    if (products.bias) bias.set(products.bias.subarray(g * units, (g + 1) * units), g * wide);
  }
  return { ...products, weights, multipliers, bias, outputs: gates * wide };
}

const eight = (count: number): number => Math.ceil(count / 8) * 8;

/** Of the recurrent weights as int16. */
const widenedBytes = (gates: number, units: number): number => gates * eight(units) * Math.ceil(units / 2) * 4;

function scratchBytes(gates: number, units: number, inC: number): number {
  const row = eight(units);
  return 2 * (4 * (gates * row + row + 8 + eight(inC) + 8) + row);
}

function lowerDirection(node: Node<RecurrentName>, lowering: Lowering, index: number, reverse: boolean): void {
  const tensorOf = (id: number): Tensor | undefined => (id < 0 ? undefined : lowering.tensor(id));
  const outputs = node.outputs.map((id) => lowering.tensor(id));
  const { layer, products } = build(node, node.inputs.map(tensorOf), outputs, index);
  const { units, hidden, y, cell, kind } = layer;
  const gates = GATES[kind];
  const x = walk(node, lowering.tensor(node.inputs[0]!).shape);
  const to = walk(node, outputs[0]!.shape);
  const ids = direction(
    node,
    node.inputs.map((id) => (id < 0 ? undefined : id)),
    index,
  );
  const blocks = [padded(products.input, gates), padded(products.recurrent, gates)].map((each) =>
    gemmBlocks(each, false, node.name),
  );
  const out = (offset: number): Ref => lowering.at(node.outputs[1 + index * outputsEach(node) + offset]!);
  const widened = x.time * x.batch >= WIDENS && lowering.mayUseMemory(node) ? widenedBytes(gates, units) : 0;
  const flags =
    (reverse ? RecurrentFlag.Reverse : 0) |
    (hidden.wide ? RecurrentFlag.HiddenWide : 0) |
    (y.wide ? RecurrentFlag.YWide : 0) |
    (cell?.wide ? RecurrentFlag.CellWide : 0) |
    (ids.h === undefined ? 0 : RecurrentFlag.Starts) |
    (widened ? RecurrentFlag.Widened : 0);
  const more: [number, Ref][] = [
    [Field.Tables, lowering.params(gateTables())],
    [Field.HiddenOut, out(0)],
  ];
  if (cell) more.push([Field.CellOut, out(1)]);
  if (cell && ids.c !== undefined) more.push([Field.CellIn, lowering.at(ids.c)]);
  lowering.emit({
    op: Op.Recurrent,
    kernel: KERNELS[kind],
    input: lowering.at(node.inputs[0]!),
    ...(ids.h !== undefined && { input2: lowering.at(ids.h) }),
    output: lowering.at(node.outputs[0]!, index * units * (y.wide ? 2 : 1)),
    params: lowering.params(Buffer.concat(blocks)),
    more,
    scratchBytes: scratchBytes(gates, units, x.features) + widened,
    spareBytes: widened,
    fields: [
      [Field.Batch, x.batch],
      [Field.Time, x.time],
      [Field.InC, x.features],
      [Field.Units, units],
      [Field.XBatchStride, x.batchStride],
      [Field.XTimeStride, x.timeStride],
      [Field.YBatchStride, to.batchStride],
      [Field.YTimeStride, to.timeStride],
      [Field.Flags, flags],
      [Field.HiddenZero, hidden.zero],
      [Field.YZero, y.zero],
      [Field.CellBits, cell?.bits ?? 0],
      [Field.CellClip, cell?.clip ?? NO_CLIP],
    ],
    floats: [
      [Field.HiddenScale, hidden.scale],
      [Field.HiddenInverse, hidden.inverse],
      [Field.YInverse, y.inverse],
    ],
    kernelName: `${gates} gates in one gemv, s8 weights, state s${hidden.wide ? 16 : 8}${reverse ? ", from the end" : ""}`,
    macs: x.batch * x.time * gates * units * (x.features + units),
  });
}

export function recurrentOperator<K extends RecurrentName>(name: K): Operator<K> {
  return {
    name,

    check(given, inputs, outputs) {
      const node = given as Node<RecurrentName>;
      const x = present(inputs[0], node.name, "input");
      requireDType(x, ["int8"], node.name);
      requireRank(x, 3, node.name);
      perTensor(x, node.name);
      const directions = directionsOf(node);
      const { batch, time, features } = walk(node, x.shape);
      const wanted = [1 + directions.length * inputsEach(node), 1 + directions.length * outputsEach(node)];
      if (outputs.length !== wanted[1]) {
        throw new ToolError("BAD_GRAPH", `${node.name}: ${name} has ${wanted[1]} outputs but got ${outputs.length}.`);
      }
      const gates = GATES[kindOf(node)];
      let units = 0;
      const states = directions.flatMap((_, index) => {
        const tensors = direction(node, inputs, index);
        const weights = present(tensors.weights, node.name, "weight tensor");
        const recurrent = present(tensors.recurrent, node.name, "recurrent weight tensor");
        requireRank(recurrent, 2, node.name);
        units = recurrent.shape[1]!;
        for (const [tensor, bias, cells] of [
          [weights, tensors.bias, features],
          [recurrent, tensors.recurrentBias, units],
        ] as const) {
          requireWeights(tensor, bias, gates * units, node.name);
          const centred = tensor.quant!.zeroPoint.every((zero) => zero === 0);
          if (tensor.shape.join() === [gates * units, cells].join() && centred && units <= MOST_UNITS) continue;
          throw new ToolError(
            "BAD_GRAPH",
            `${node.name}: the weights "${tensor.name}" must be [${gates * units}, ${cells}] with zero point 0 but are [${tensor.shape}]${centred ? "" : " with another"}.`,
          );
        }
        const last = outputs.slice(1 + index * outputsEach(node), 1 + (index + 1) * outputsEach(node));
        build(node, inputs, outputs, index);
        requireState(node.name, tensors.h, last[0]!);
        if (last[1]) requireState(node.name, tensors.c, last[1]);
        if (last[1] && !tensors.h !== !tensors.c) {
          throw new ToolError(
            "BAD_GRAPH",
            `${node.name}: the first h and the first cell state must be given both or neither.`,
          );
        }
        return last.map((tensor) => ({ shape: [batch, units], dtype: tensor.dtype }));
      });
      const width = directions.length * units;
      const shape = node.attrs.timeMajor ? [time, batch, width] : [batch, time, width];
      return [{ shape, dtype: outputs[0]!.dtype }, ...states];
    },

    reference(given, inputs, outputs) {
      const node = given as Node<RecurrentName>;
      const x = inputs[0]!;
      const data = x.data as Int8Array;
      const from = walk(node, x.shape);
      const to = walk(node, outputs[0]!.shape);
      const results = outputs.map(({ dtype, shape }) => zeros(dtype, elementCount(shape)) as Int8Array | Int16Array);
      for (const [index, reverse] of directionsOf(node).entries()) {
        const { layer } = build(node, inputs, outputs, index);
        const { units, hidden, cell } = layer;
        const first = direction(node, inputs as readonly (Value | undefined)[], index);
        const [last, lastCell] = results.slice(1 + index * outputsEach(node));
        const up = cell?.wide ? 1 : 256;
        for (let b = 0; b < from.batch; b++) {
          const row = (value: Value | undefined): number[] | undefined =>
            value && Array.from(value.data.subarray(b * units, (b + 1) * units) as Int8Array);
          const state: LayerState = {
            hidden: row(first.h) ?? new Array(units).fill(hidden.zero),
            cell: row(first.c)?.map((c) => c * up) ?? new Array(units).fill(0),
          };
          for (let i = 0; i < from.time; i++) {
            const t = reverse ? from.time - 1 - i : i;
            const at = b * from.batchStride + t * from.timeStride;
            const y = recurrentStep(layer, state, data.subarray(at, at + from.features));
            results[0]!.set(y, b * to.batchStride + t * to.timeStride + index * units);
          }
          last!.set(state.hidden, b * units);
          lastCell?.set(
            state.cell.map((c) => c / up),
            b * units,
          );
        }
      }
      return results;
    },

    lower(given, lowering) {
      const node = given as Node<RecurrentName>;
      for (const [index, reverse] of directionsOf(node).entries()) lowerDirection(node, lowering, index, reverse);
    },
  };
}
