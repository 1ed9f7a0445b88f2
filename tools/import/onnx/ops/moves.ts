// Operators that move elements or know shapes: none computes anything. They work on quantized tensors as they are.

import { elementCount } from "../../../graph/graph.ts";
import type { Value } from "../builder.ts";
import type { Importer, OnnxNode } from "../node.ts";
import { isFloatType, shapeCount } from "../tensors.ts";
import { identity, inLayout } from "./elementwise.ts";

/** Sets the output to the input moved, keeping what it was quantized from out of reach. */
function setMoved(op: OnnxNode, output: number, id: number): void {
  op.set(output, id, op.input(0).type);
}

const reshape: Importer = (op) => {
  const x = op.input(0);
  const wanted = op.ints("shape") ?? op.numbers(1, "the shape");
  if (!wanted) throw op.unsupported("a Reshape without a shape");
  const zeroIsZero = op.int("allowzero", 0) === 1;
  const shape = wanted.map((size, i) => (size === 0 && !zeroIsZero ? (x.shape[i] ?? 0) : size));
  const free = shape.indexOf(-1);
  if (free >= 0)
    shape[free] =
      elementCount(x.shape) / shape.reduce((product, size, i) => (i === free ? product : product * size), 1);
  reshapeTo(op, x, shape);
};

/** A reshape that keeps batch and channels apart from flat spatial axes stays in its layout where nothing moves. */
function reshapeTo(op: OnnxNode, x: Value, shape: readonly number[]): void {
  shapeCount(shape, `the new shape of "${x.name}"`);
  const [batch, channels, ...spatial] = x.shape;
  if (
    op.prefersLast(x) &&
    spatial.every((size) => size === 1) &&
    shape.length === 2 &&
    shape[0] === batch &&
    shape[1] === channels
  ) {
    setMoved(op, 0, op.build.reshape(x.last!, shape));
    return;
  }
  setMoved(op, 0, op.build.reshape(op.build.plain(x), shape));
}

const flatten: Importer = (op) => {
  const x = op.input(0);
  const axis = op.int("axis", 1);
  const at = axis < 0 ? axis + x.shape.length : axis;
  reshapeTo(op, x, [elementCount(x.shape.slice(0, at)), elementCount(x.shape.slice(at))]);
};

const squeeze: Importer = (op) => {
  const x = op.input(0);
  const axes = op.listed("axes", 1)?.map((axis) => op.wrap(axis, x.shape.length));
  reshapeTo(
    op,
    x,
    x.shape.filter((size, i) => (axes ? !axes.includes(i) : size !== 1)),
  );
};

const unsqueeze: Importer = (op) => {
  const x = op.input(0);
  const given = op.listed("axes", 1) ?? [];
  const rank = x.shape.length + given.length;
  const axes = given.map((axis) => op.wrap(axis, rank));
  const sizes = [...x.shape];
  reshapeTo(
    op,
    x,
    Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : sizes.shift()!)),
  );
};

/** A transposition to or from channels last only says in which layout the value is known. */
const transpose: Importer = (op) => {
  const x = op.input(0);
  const rank = x.shape.length;
  const permutation = op.ints("perm") ?? x.shape.map((_, i) => rank - 1 - i);
  const shape = permutation.map((axis) => x.shape[axis]!);
  const inner = permutation.slice(1, -1);
  if (
    rank >= 3 &&
    x.plain !== undefined &&
    permutation[0] === 0 &&
    permutation[1] === rank - 1 &&
    permutation.slice(2).every((axis, i) => axis === i + 1)
  ) {
    return op.setValue(0, { name: "", type: x.type, shape, last: x.plain });
  }
  if (
    rank >= 3 &&
    x.last !== undefined &&
    permutation[0] === 0 &&
    permutation.at(-1) === 1 &&
    inner.every((axis, i) => axis === i + 2)
  ) {
    return op.setValue(0, { name: "", type: x.type, shape, plain: x.last });
  }
  setMoved(op, 0, op.build.transpose(op.build.plain(x), permutation));
};

const concat: Importer = (op) => {
  const values = Array.from({ length: op.count }, (_, i) => op.input(i));
  const rank = values[0]!.shape.length;
  const axis = op.axis(0, rank);
  const isLast = rank >= 3 && op.prefersLast(...values);
  const ids = values.map((value) => inLayout(op, value, isLast));
  const at = !isLast || axis === 0 ? axis : axis === 1 ? rank - 1 : axis - 1;
  op.setIn(
    isLast,
    0,
    ids.length === 1 ? ids[0]! : op.build.one("concat", ids, { axis: at, activation: "none" }),
    values[0]!.type,
  );
};

const split: Importer = (op) => {
  const x = op.input(0);
  const axis = op.axis(0, x.shape.length);
  const size = x.shape[axis]!;
  const parts = op.int("num_outputs", op.file.output.length);
  const each = Math.ceil(size / parts);
  const sizes =
    op.listed("split", 1) ??
    Array.from({ length: parts }, (_, i) => (i < parts - 1 ? each : size - each * (parts - 1)));
  if (sizes.some((part) => part < 1)) throw op.unsupported(`an empty part of [${sizes}]`, "leave it out of the model");
  const ids = op.build.emit("split", [op.build.plain(x)], { axis, sizes }, sizes.length);
  for (const [i, id] of ids.entries()) setMoved(op, i, id);
};

const slice: Importer = (op) => {
  const x = op.input(0);
  const starts = op.listed("starts", 1)!;
  const ends = op.listed("ends", 2)!;
  const axes = (op.listed("axes", 3) ?? starts.map((_, i) => i)).map((axis) => op.wrap(axis, x.shape.length));
  const steps = op.numbers(4, "the steps") ?? starts.map(() => 1);
  const [begin, strides, sizes] = [x.shape.map(() => 0), x.shape.map(() => 1), [...x.shape]];
  for (const [i, axis] of axes.entries()) {
    const size = x.shape[axis]!;
    const step = steps[i]!;
    const within = (at: number): number => {
      const from = at < 0 ? at + size : at;
      return step > 0 ? Math.min(Math.max(from, 0), size) : Math.min(Math.max(from, -1), size - 1);
    };
    const first =
      step < 0 ? Math.min(Math.max(starts[i]! < 0 ? starts[i]! + size : starts[i]!, 0), size - 1) : within(starts[i]!);
    begin[axis] = first;
    strides[axis] = step;
    sizes[axis] = Math.max(0, Math.ceil((within(ends[i]!) - first) / step));
  }
  if (sizes.includes(0)) throw op.unsupported(`an empty slice [${sizes}]`, "leave it out of the model");
  setMoved(op, 0, op.build.one("stridedSlice", [op.build.plain(x)], { begin, strides, sizes, squeeze: [] }));
};

/** Constant padding is one operator; reflected, repeated and wrapped edges gather their cells. */
const pad: Importer = (op) => {
  const x = op.input(0);
  const rank = x.shape.length;
  const given = op.listed("pads", 1) ?? [];
  const axes = op.numbers(3, "the axes")?.map((axis) => op.wrap(axis, rank)) ?? x.shape.map((_, i) => i);
  const value = op.has("value") ? op.float("value", 0) : (op.numbers(2, "the padding value")?.[0] ?? 0);
  const mode = op.text("mode", "constant");
  const paddings = x.shape.map((_, axis): [number, number] => {
    const i = axes.indexOf(axis);
    return i < 0 ? [0, 0] : [given[i]!, given[i + axes.length]!];
  });
  let id = op.build.plain(x);
  if (mode === "constant") {
    if (paddings.flat().some((cells) => cells < 0)) {
      const cut = paddings.map(([before, after]) => [Math.max(0, -before), Math.max(0, -after)] as const);
      const sizes = x.shape.map((size, i) => size - cut[i]![0] - cut[i]![1]);
      id = op.build.one("stridedSlice", [id], {
        begin: cut.map(([before]) => before),
        strides: sizes.map(() => 1),
        sizes,
        squeeze: [],
      });
    }
    const positive = paddings.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)]);
    if (positive.flat().some(Boolean)) id = op.build.one("pad", [id], { paddings: positive, value });
    return setMoved(op, 0, id);
  }
  for (const [axis, [before, after]] of paddings.entries()) {
    if (before === 0 && after === 0) continue;
    const size = x.shape[axis]!;
    const cell = (at: number): number => {
      if (mode === "edge") return Math.min(size - 1, Math.max(0, at));
      if (mode === "wrap") return ((at % size) + size) % size;
      const period = Math.max(1, 2 * size - 2);
      const folded = ((at % period) + period) % period;
      return folded < size ? folded : period - folded;
    };
    const places = op.build.ints(Array.from({ length: size + before + after }, (_, i) => cell(i - before)));
    id = op.build.one("gather", [id, places], { axis });
  }
  setMoved(op, 0, id);
};

const gather: Importer = (op) => {
  const x = op.input(0);
  const indices = op.x(1);
  setMoved(op, 0, op.build.one("gather", [op.build.plain(x), indices], { axis: op.axis(0, x.shape.length) }));
};

/** One element of the last axis for each index: only where the other axes are the whole of the input's. */
const gatherElements: Importer = (op) => {
  const x = op.input(0);
  const axis = op.axis(0, x.shape.length);
  const places = op.constantOf(op.input(1), "the indices");
  const { shape } = op.input(1);
  const flat = Array.from(places, (place, at) => {
    let rest = at;
    let from = 0;
    let stride = 1;
    const strides = x.shape.map(() => 0);
    for (let i = x.shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= x.shape[i]!;
    }
    for (let i = shape.length - 1; i >= 0; i--) {
      const index = rest % shape[i]!;
      rest = Math.floor(rest / shape[i]!);
      from += strides[i]! * (i === axis ? (place < 0 ? place + x.shape[axis]! : place) : index);
    }
    return from;
  });
  const all = op.build.reshape(op.build.plain(x), [elementCount(x.shape)]);
  setMoved(op, 0, op.build.reshape(op.build.one("gather", [all, op.build.ints(flat)], { axis: 0 }), shape));
};

const expand: Importer = (op) => {
  const x = op.input(0);
  const wanted = op.numbers(1, "the shape")!;
  spreadTo(op, x, wanted);
};

/** Repeats by a gather for each axis that grows. */
function spreadTo(op: OnnxNode, x: Value, wanted: readonly number[]): void {
  const rank = Math.max(wanted.length, x.shape.length);
  const shape = [...Array.from({ length: rank - x.shape.length }, () => 1), ...x.shape];
  const goal = [...Array.from({ length: rank - wanted.length }, () => 1), ...wanted];
  shapeCount(goal, `the new shape of "${x.name}"`);
  let id = op.build.reshape(op.build.plain(x), shape);
  for (const [axis, size] of goal.entries()) {
    if (size === shape[axis] || size === 1) continue;
    id = op.build.one("gather", [id, op.build.ints(Array.from({ length: size }, () => 0))], { axis });
  }
  setMoved(op, 0, id);
}

const tile: Importer = (op) => {
  const x = op.input(0);
  const repeats = op.numbers(1, "the repeats")!;
  let id = op.build.plain(x);
  for (const [axis, times] of repeats.entries()) {
    if (times === 1) continue;
    const size = x.shape[axis]!;
    shapeCount([size, times], `the repeats of "${x.name}"`);
    id = op.build.one("gather", [id, op.build.ints(Array.from({ length: size * times }, (_, i) => i % size))], {
      axis,
    });
  }
  setMoved(op, 0, id);
};

function blocks(toDepth: boolean): Importer {
  return (op) => {
    const x = op.input(0);
    const size = op.int("blocksize", 1);
    const [n, c, h, w] = x.shape as [number, number, number, number];
    const { build } = op;
    const plain = build.plain(x);
    const isCrd = op.text("mode", "DCR") === "CRD";
    if (toDepth) {
      const apart = build.reshape(plain, [n, c, h / size, size, w / size, size]);
      return setMoved(
        op,
        0,
        build.reshape(build.transpose(apart, isCrd ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4]), [
          n,
          c * size * size,
          h / size,
          w / size,
        ]),
      );
    }
    const depth = c / (size * size);
    const apart = build.reshape(plain, isCrd ? [n, depth, size, size, h, w] : [n, size, size, depth, h, w]);
    const moved = build.transpose(apart, isCrd ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]);
    setMoved(op, 0, build.reshape(moved, [n, depth, h * size, w * size]));
  };
}

/** The upper or lower triangle, by a constant mask. */
const trilu: Importer = (op) => {
  const x = op.input(0);
  const k = op.numbers(1, "the diagonal")?.[0] ?? 0;
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const upper = op.int("upper", 1) === 1;
  const mask = Int32Array.from({ length: rows * columns }, (_, at) =>
    Number(upper ? (at % columns) - Math.floor(at / columns) >= k : (at % columns) - Math.floor(at / columns) <= k),
  );
  const id = op.build.plain(x);
  const { dtype } = op.build.at(id);
  const zero = op.build.scalar(0, dtype === "int32" ? "int32" : "float32");
  setMoved(op, 0, op.build.one("select", [op.build.constant("int32", [rows, columns], mask), id, zero], {}));
};

const oneHot: Importer = (op) => {
  const depth = op.numbers(1, "the depth")![0]!;
  const [indices, values] = [op.input(0), op.input(2)];
  const rank = indices.shape.length + 1;
  const axis = op.axis(-1, rank);
  const { build } = op;
  shapeCount([depth], "the depth of a OneHot");
  const shape = [...indices.shape.slice(0, axis), 1, ...indices.shape.slice(axis)];
  const x = build.reshape(build.plain(indices), shape);
  const whole = isFloatType(indices.type) ? build.map("toInt", x) : x;
  const places = build.constant(
    "int32",
    Array.from({ length: rank }, (_, i) => (i === axis ? depth : 1)),
    Int32Array.from({ length: depth }, (_, i) => i),
  );
  const negative = build.zip("less", whole, build.scalar(0, "int32"));
  const hit = build.zip(
    "equal",
    build.one("select", [negative, build.zip("add", whole, build.scalar(depth, "int32")), whole], {}),
    places,
  );
  const [off, on] = [0, 1].map((at) => build.one("gather", [build.plain(values), build.ints([at])], { axis: 0 }));
  op.set(0, build.one("select", [hit, on!, off!], {}), values.type);
};

export const MOVES: Readonly<Record<string, Importer>> = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Gather: gather,
  GatherElements: gatherElements,
  Expand: expand,
  Tile: tile,
  DepthToSpace: blocks(false),
  SpaceToDepth: blocks(true),
  Trilu: trilu,
  OneHot: oneHot,
  "com.microsoft:Identity": identity,
};
