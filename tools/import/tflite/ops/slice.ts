// STRIDED_SLICE and SLICE. Invariant: every mask, negative index and open end is resolved to a first
// index, a step and a count for each axis of the input.

import type { Operand } from "../builder.ts";
import { BuiltinOptions, StridedSliceOptions } from "../generated/tflite.ts";
import type { OperatorContext } from "../operator.ts";

export interface Range {
  readonly begin: number;
  readonly stride: number;
  readonly count: number;
  readonly squeezed: boolean;
}

function whole(size: number): Range {
  return { begin: 0, stride: 1, count: size, squeezed: false };
}

function emitSlice(op: OperatorContext, x: Operand, ranges: readonly Range[], newAxes: readonly number[]): void {
  const y = op.output(0, x.tensor, "bare");
  op.sameQuantization(x, y);
  const bad = ranges.findIndex(({ count }) => count < 1);
  if (bad >= 0) throw op.unsupported(`takes nothing along axis ${bad}`);
  const attrs = {
    begin: ranges.map((range) => range.begin),
    strides: ranges.map((range) => range.stride),
    sizes: ranges.map((range) => range.count),
    squeeze: ranges.flatMap((range, axis) => (range.squeezed ? [axis] : [])),
  };
  const sliced = ranges.filter((range) => !range.squeezed).map((range) => range.count);
  const shape = [...sliced];
  for (const axis of newAxes) shape.splice(axis, 0, 1);
  op.expectShape(y, shape);
  if (newAxes.length === 0) {
    op.emit("stridedSlice", [x], [y], attrs);
    return;
  }
  const name = `${op.name}/slice`;
  const between = op.builder.add({ ...y.tensor, name, shape: sliced });
  op.emit("stridedSlice", [x], [between], attrs, name);
  op.emit("reshape", [between], [y], { shape });
}

export function slice(op: OperatorContext): void {
  const x = op.activation(0, "bare");
  const { shape } = x.tensor;
  const begins = op.ints(1, "begin");
  const sizes = op.ints(2, "size");
  const ranges = shape.map((size, axis): Range => {
    const begin = begins[axis] ?? 0;
    const asked = sizes[axis] ?? -1;
    const count = asked === -1 ? size - begin : asked;
    if (begin < 0 || count < 0 || begin + count > size) {
      throw op.contradiction(`takes ${count} from index ${begin} along axis ${axis} of size ${size}`);
    }
    return { begin, stride: 1, count, squeezed: false };
  });
  if (begins.length !== shape.length || sizes.length !== shape.length) {
    throw op.contradiction(`has ${begins.length} begins and ${sizes.length} sizes for ${shape.length} dimensions`);
  }
  emitSlice(op, x, ranges, []);
}

export function stridedSlice(op: OperatorContext): void {
  const x = op.activation(0, "bare");
  const { ranges, newAxes } = resolveRanges(op, x.tensor.shape);
  emitSlice(op, x, ranges, newAxes);
}

/** The operator's begins, ends, strides and masks, resolved for an input of this shape. */
export function resolveRanges(op: OperatorContext, shape: readonly number[]): { ranges: Range[]; newAxes: number[] } {
  const options = op.options(BuiltinOptions.StridedSliceOptions, new StridedSliceOptions());
  const begins = op.ints(1, "begin");
  const ends = op.ints(2, "end");
  const strides = op.ints(3, "strides");
  if (begins.length !== ends.length || begins.length !== strides.length) {
    throw op.contradiction(`has ${begins.length} begins, ${ends.length} ends and ${strides.length} strides`);
  }
  const bit = (mask: number, i: number): boolean => ((mask >> i) & 1) === 1;
  const isNew = (i: number): boolean => bit(options.newAxisMask(), i);
  const isEllipsis = (i: number): boolean => bit(options.ellipsisMask(), i);
  const consumed = begins.filter((_, i) => !isNew(i) && !isEllipsis(i)).length;
  if (begins.filter((_, i) => isEllipsis(i)).length > 1 || consumed > shape.length || begins.length > 30) {
    throw op.contradiction(`has ${begins.length} ranges for ${shape.length} dimensions`);
  }
  const ranges: Range[] = [];
  /** positions in the output's shape */
  const newAxes: number[] = [];
  const outputRank = (): number => newAxes.length + ranges.filter((range) => !range.squeezed).length;
  const skip = (count: number): void => {
    for (let i = 0; i < count; i++) ranges.push(whole(shape[ranges.length] ?? 1));
  };
  begins.forEach((begin, i) => {
    if (isEllipsis(i)) skip(shape.length - consumed);
    else if (isNew(i)) newAxes.push(outputRank());
    else {
      const size = shape[ranges.length] ?? 1;
      const stride = strides[i] ?? 1;
      if (stride === 0) throw op.contradiction(`has a stride of 0 along axis ${ranges.length}`);
      if (bit(options.shrinkAxisMask(), i)) {
        ranges.push(single(op, begin, size, ranges.length));
        return;
      }
      const first = bound(bit(options.beginMask(), i) ? undefined : begin, size, stride, "first");
      const end = options.offset() ? first + (ends[i] ?? 0) : (ends[i] ?? 0);
      const last = bound(bit(options.endMask(), i) ? undefined : end, size, stride, "last");
      ranges.push({ begin: first, stride, count: Math.ceil((last - first) / stride), squeezed: false });
    }
  });
  skip(shape.length - ranges.length);
  return { ranges, newAxes };
}

/** One index of an axis that the output does not have. */
function single(op: OperatorContext, begin: number, size: number, axis: number): Range {
  const index = begin < 0 ? begin + size : begin;
  if (index < 0 || index >= size) throw op.contradiction(`takes index ${begin} along axis ${axis} of size ${size}`);
  return { begin: index, stride: 1, count: 1, squeezed: true };
}

/** NumPy's rule: negative counts from the end, then into the axis; undefined is the open side. */
function bound(value: number | undefined, size: number, stride: number, side: "first" | "last"): number {
  const [low, high] = stride > 0 ? [0, size] : [-1, size - 1];
  if (value === undefined) return (side === "first") === stride > 0 ? low : high;
  return Math.min(high, Math.max(low, value < 0 ? value + size : value));
}
