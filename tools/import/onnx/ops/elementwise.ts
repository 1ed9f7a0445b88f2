// Functions of one and of two values. They follow the layout of what they read: between two convolutions they work
// channels last. Narrow integers are carried as int32 and wrapped to their width where a result may leave it.

import type { MapName, ZipName } from "../../../graph/graph.ts";
import type { Value } from "../builder.ts";
import type { Importer, OnnxNode } from "../node.ts";
import { INTEGERS, isFloatType, TYPE, typeName } from "../tensors.ts";
import { integersOf } from "./quantize.ts";

/** The value's tensor in the layout asked for. */
export function inLayout(op: OnnxNode, value: Value, isLast: boolean): number {
  const whole = integersOf(op, value);
  return isLast ? op.build.last(whole) : op.build.plain(whole);
}

/** Sets the output to `f` of the input, in whichever layout that is known. */
export function unary(f: (op: OnnxNode, x: number, type: number) => number, outputType?: number): Importer {
  return (op) => {
    const value = op.input(0);
    const isLast = op.prefersLast(value);
    op.setIn(isLast, 0, f(op, inLayout(op, value, isLast), value.type), outputType ?? value.type);
  };
}

const simple = (fn: MapName, a = 0, b = 0): Importer => unary((op, x) => op.build.map(fn, x, a, b));

/** One constant from an attribute. */
const withAlpha = (fn: MapName, name: string, fallback: number, b = 0): Importer =>
  unary((op, x) => op.build.map(fn, x, op.float(name, fallback), b));

/** Both tensors in one layout that broadcasts as ONNX's shapes do. */
export function aligned(op: OnnxNode, values: readonly Value[]): { isLast: boolean; ids: number[] } {
  const rank = Math.max(...values.map(({ shape }) => shape.length));
  const wide = values.filter(({ shape }) => shape.length === rank);
  const isLast = rank >= 3 && op.prefersLast(...wide);
  const ids = values.map((value) => {
    if (!isLast || value.shape.length === rank) return inLayout(op, value, isLast);
    const plain = inLayout(op, value, false);
    if (value.shape.every((size) => size === 1)) return plain;
    const shape = [...Array.from({ length: rank - value.shape.length }, () => 1), ...value.shape];
    return op.build.last({ name: value.name, type: value.type, shape, plain: op.build.reshape(plain, shape) });
  });
  return { isLast, ids };
}

/** An int32 that carries a narrower integer, brought back to its range after arithmetic. */
export function wrapped(op: OnnxNode, x: number, type: number): number {
  const integer = INTEGERS.get(type);
  if (!integer || integer.bits >= 32) return x;
  return op.build.map("wrap", x, Number(integer.signed), integer.bits);
}

function binary(fn: ZipName, outputType?: number): Importer {
  return (op) => {
    const [a, b] = [op.input(0), op.input(1)];
    const unsigned = !(INTEGERS.get(a.type)?.signed ?? true) && INTEGERS.get(a.type)!.bits >= 32;
    if (unsigned && !["add", "sub", "mul", "and", "or", "xor", "equal"].includes(fn)) {
      throw op.unsupported(`${fn} of ${typeName(a.type)}, which is carried as int32`, "use int32 or a narrower type");
    }
    const { isLast, ids } = aligned(op, [a, b]);
    const y = op.build.zip(fn, ids[0]!, ids[1]!);
    op.setIn(isLast, 0, outputType === undefined ? wrapped(op, y, a.type) : y, outputType ?? a.type);
  };
}

/** Joins any number of inputs two by two. */
const variadic =
  (fn: ZipName, scale?: (count: number) => number): Importer =>
  (op) => {
    const values = Array.from({ length: op.count }, (_, i) => op.input(i));
    const { isLast, ids } = aligned(op, values);
    let y = ids.reduce((joined, id) => op.build.zip(fn, joined, id));
    if (scale && ids.length > 1) y = op.build.zip("div", y, op.build.scalar(scale(ids.length)));
    op.setIn(isLast, 0, y, values[0]!.type);
  };

const swapped =
  (fn: ZipName): Importer =>
  (op) => {
    const { isLast, ids } = aligned(op, [op.input(1), op.input(0)]);
    op.setIn(isLast, 0, op.build.zip(fn, ids[0]!, ids[1]!), TYPE.bool);
  };

function mod(op: OnnxNode): void {
  binary(op.int("fmod", 0) === 1 ? "fmod" : "mod")(op);
}

function clip(op: OnnxNode): void {
  const value = op.input(0);
  const isFloat = isFloatType(value.type);
  const bound = (name: string, index: number, fallback: number): number =>
    op.has(name) ? op.float(name, fallback) : (op.numbers(index, name)?.[0] ?? fallback);
  const whole = isFloat ? Number.POSITIVE_INFINITY : 2 ** 31 - 1;
  const [least, most] = [bound("min", 1, isFloat ? -whole : -whole - 1), bound("max", 2, whole)];
  // a maximum below the minimum wins, as in NumPy
  unary(({ build }, x) => build.map("clip", x, Math.min(least, most), most))(op);
}

function cast(op: OnnxNode, to: number): void {
  const value = op.input(0);
  const isLast = op.prefersLast(value);
  const x = inLayout(op, value, isLast);
  const { build } = op;
  const integer = INTEGERS.get(to);
  if (!integer && !isFloatType(to)) throw op.unsupported(`a cast to ${typeName(to)}`);
  let y = x;
  if (isFloatType(value.type)) {
    if (to === TYPE.bool) y = build.map("not", build.zip("equal", x, build.scalar(0)));
    else if (integer) y = wrapped(op, build.map("toInt", x), to);
  } else if (!integer) y = build.map("fromInt", x);
  else if (to === TYPE.bool) y = build.map("not", build.map("not", x));
  else y = wrapped(op, x, to);
  op.setIn(isLast, 0, y, to);
}

function where(op: OnnxNode): void {
  const [condition, a, b] = [op.input(0), op.input(1), op.input(2)];
  const { isLast, ids } = aligned(op, [condition, a, b]);
  op.setIn(isLast, 0, op.build.one("select", ids, {}), a.type);
}

function shift(op: OnnxNode): void {
  if (INTEGERS.get(op.input(0).type)?.signed)
    throw op.unsupported("a shift of signed integers", "use an unsigned type");
  binary(op.text("direction", "LEFT") === "LEFT" ? "shiftLeft" : "shiftRight")(op);
}

/** sinh and cosh, from e^x and e^−x. */
const hyperbolic = (sign: "add" | "sub"): Importer =>
  unary(({ build }, x) => {
    const [up, down] = [build.map("exp", x), build.map("exp", build.map("neg", x))];
    return build.map("affine", build.zip(sign, up, down), 0.5, 0);
  });

export const identity: Importer = (op) => op.setValue(0, op.input(0));

export const ELEMENTWISE: Readonly<Record<string, Importer>> = {
  Neg: simple("neg"),
  Abs: simple("abs"),
  Floor: simple("floor"),
  Ceil: simple("ceil"),
  Round: simple("round"),
  Sign: simple("sign"),
  Sqrt: simple("sqrt"),
  Reciprocal: simple("reciprocal"),
  Exp: simple("exp"),
  Log: simple("log"),
  Sin: simple("sin"),
  Cos: simple("cos"),
  Atan: simple("atan"),
  Tanh: simple("tanh"),
  Sigmoid: simple("sigmoid"),
  Erf: simple("erf"),
  Relu: (op) =>
    isFloatType(op.input(0).type)
      ? unary(({ build }, x) => build.map("clip", x, 0, Number.POSITIVE_INFINITY))(op)
      : unary(({ build }, x) => build.zip("max", x, build.scalar(0, "int32")))(op),
  Softplus: simple("softplus"),
  HardSwish: simple("hardSwish", 1 / 6, 0.5),
  Tan: unary(({ build }, x) => build.zip("div", build.map("sin", x), build.map("cos", x))),
  Sinh: hyperbolic("sub"),
  Cosh: hyperbolic("add"),
  Softsign: unary(({ build }, x) => build.zip("div", x, build.map("affine", build.map("abs", x), 1, 1))),
  Mish: unary(({ build }, x) => build.zip("mul", x, build.map("tanh", build.map("softplus", x)))),
  Swish: withAlpha("silu", "alpha", 1),
  Gelu: unary((op, x) => op.build.map(op.text("approximate", "none") === "tanh" ? "geluTanh" : "gelu", x)),
  LeakyRelu: withAlpha("leakyRelu", "alpha", 0.01),
  ThresholdedRelu: withAlpha("thresholdedRelu", "alpha", 1),
  Elu: withAlpha("elu", "alpha", 1, 1),
  // max(0, x) + min(0, α(e^(x/α) − 1)) = α · elu(x / α)
  Celu: unary((op, x) => {
    const alpha = op.float("alpha", 1);
    return op.build.map("affine", op.build.map("elu", op.build.map("affine", x, 1 / alpha, 0), 1, 1), alpha, 0);
  }),
  Selu: unary((op, x) =>
    op.build.map("elu", x, op.float("alpha", 1.6732631921768188), op.float("gamma", 1.0507010221481323)),
  ),
  HardSigmoid: unary((op, x) => op.build.map("hardSigmoid", x, op.float("alpha", 0.2), op.float("beta", 0.5))),
  IsNaN: unary(({ build }, x) => build.map("isNan", x), TYPE.bool),
  IsInf: unary((op, x) => {
    const [negative, positive] = [op.int("detect_negative", 1), op.int("detect_positive", 1)];
    if (!negative && !positive) return op.build.zip("less", x, x);
    return op.build.map("isInf", x, negative && positive ? 0 : positive ? 2 : 1);
  }, TYPE.bool),
  Not: simple("not"),
  BitwiseNot: unary((op, x, type) => wrapped(op, op.build.map("bitNot", x), type)),
  Identity: identity,
  Dropout: (op) => {
    if (op.wants(1)) throw op.unsupported("the mask of a Dropout", "export the model for inference");
    identity(op);
  },
  Clip: clip,
  Cast: (op) => cast(op, op.int("to", 1)),
  CastLike: (op) => cast(op, op.input(1).type),
  Add: binary("add"),
  Sub: binary("sub"),
  Mul: binary("mul"),
  Div: binary("div"),
  Mod: mod,
  Pow: (op) => {
    const [a, b] = [op.input(0), op.input(1)];
    const { isLast, ids } = aligned(op, [a, b]);
    const [x, y] = ids as [number, number];
    const { build } = op;
    const power = isFloatType(a.type) && !isFloatType(b.type) ? build.map("fromInt", y) : y;
    if (!isFloatType(a.type) && isFloatType(b.type)) {
      const real = build.zip("pow", build.map("fromInt", x), y);
      op.setIn(isLast, 0, wrapped(op, build.map("toInt", real), a.type), a.type);
    } else op.setIn(isLast, 0, wrapped(op, build.zip("pow", x, power), a.type), a.type);
  },
  PRelu: binary("prelu"),
  Min: variadic("min"),
  Max: variadic("max"),
  Sum: variadic("add"),
  Mean: variadic("add", (count) => count),
  And: binary("and"),
  Or: binary("or"),
  Xor: binary("xor"),
  BitwiseAnd: binary("and"),
  BitwiseOr: binary("or"),
  BitwiseXor: binary("xor"),
  BitShift: shift,
  Equal: binary("equal", TYPE.bool),
  Less: binary("less", TYPE.bool),
  LessOrEqual: binary("lessEqual", TYPE.bool),
  Greater: swapped("less"),
  GreaterOrEqual: swapped("lessEqual"),
  Where: where,
};
