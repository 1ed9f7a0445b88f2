// Matrix products: MatMul, Gemm, their integer and quantized forms, and MatMulNBits, whose weights are unpacked to the
// real numbers that they stand for.

import { elementCount } from "../../../graph/graph.ts";
import type { Value } from "../builder.ts";
import type { Importer, OnnxNode } from "../node.ts";
import { TYPE } from "../tensors.ts";
import { integersOf, realBias, realInput, setReal } from "./quantize.ts";

const OPEN = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };

/** NumPy's matmul: a vector is a row or a column, whose axis goes again. */
function product(op: OnnxNode, a: number, b: number): number {
  const { build } = op;
  const [shapeA, shapeB] = [build.at(a).shape, build.at(b).shape];
  const left = shapeA.length === 1 ? build.reshape(a, [1, ...shapeA]) : a;
  const right = shapeB.length === 1 ? build.reshape(b, [...shapeB, 1]) : b;
  const y = build.one("floatMatmul", [left, right], { transposeB: false, ...OPEN });
  const { shape } = build.at(y);
  const kept = shape.filter(
    (_, i) => !(i === shape.length - 2 && shapeA.length === 1) && !(i === shape.length - 1 && shapeB.length === 1),
  );
  return build.reshape(y, kept);
}

const transposed = (op: OnnxNode, x: number): number => op.build.transpose(x, [1, 0]);

/** α·A·B + β·C with A or B transposed. */
function gemm(op: OnnxNode, a: number, b: number, c: number | undefined): number {
  const { build } = op;
  const left = op.int("transA", 0) ? transposed(op, a) : a;
  const isConstant = build.at(b).data !== undefined;
  const turnB = op.int("transB", 0) === 1;
  const right = turnB && isConstant ? transposed(op, b) : b;
  let y = build.one("floatMatmul", [left, right], { transposeB: turnB && !isConstant, ...OPEN });
  const [alpha, beta] = [op.float("alpha", 1), op.float("beta", 1)];
  if (alpha !== 1) y = build.map("affine", y, alpha, 0);
  if (c !== undefined && beta !== 0) y = build.zip("add", y, beta === 1 ? c : build.map("affine", c, beta, 0));
  return y;
}

/** The integers of an input less its zero point, which may be one a row (of A) or a column (of B). */
function centred(op: OnnxNode, index: number, zeroIndex: number, isRow: boolean): number {
  const { build } = op;
  const x = build.plain(integersOf(op, op.input(index)));
  const zero = op.optional(zeroIndex);
  if (!zero) return x;
  const z = build.plain(integersOf(op, zero));
  const count = elementCount(build.at(z).shape);
  if (count === 1) return build.zip("sub", x, build.reshape(z, []));
  const { shape } = build.at(z);
  return build.zip("sub", x, isRow && shape.length === 1 ? build.reshape(z, [count, 1]) : z);
}

const matMulInteger: Importer = (op) =>
  void op.set(0, product(op, centred(op, 0, 2, true), centred(op, 1, 3, false)), TYPE.int32);

const qLinearMatMul: Importer = (op) => {
  const [a, b] = [realInput(op, 0, -2), realInput(op, 3, -1)];
  setReal(op, product(op, op.build.plain(a), op.build.plain(b)), false, 6);
};

const qGemm: Importer = (op) => {
  const a = realInput(op, 0);
  const axis = op.int("transB", 0) ? 0 : 1;
  const b = realInput(op, 3, axis);
  const bias = realBias(op, 6, 1, 4);
  const y = gemm(op, op.build.plain(a), op.build.plain(b), bias);
  if (op.optional(7)) setReal(op, y, false, 7);
  else op.set(0, y, TYPE.float);
};

/** B as [N, K/block, bytes] of two, four or eight bits with a scale a block, and zero points packed alike. */
const matMulNBits: Importer = (op) => {
  const { build } = op;
  const [k, n, bits, block] = [op.int("K", 0), op.int("N", 0), op.int("bits", 4), op.int("block_size", 32)];
  const blocks = Math.ceil(k / block);
  if (![2, 4, 8].includes(bits) || k < 1 || n < 1) throw op.unsupported(`weights of ${bits} bits`);
  if (op.optional(4)) throw op.unsupported("an index of groups (g_idx)", "export it in order");
  const bytes = op.constantOf(op.input(1), "the weights");
  const scales = op.constantOf(op.input(2), "the scales");
  const zeros = op.numbers(3, "the zero points");
  const each = 8 / bits;
  const mask = (1 << bits) - 1;
  const code = (packed: ArrayLike<number>, at: number): number =>
    (packed[Math.floor(at / each)]! >> ((at % each) * bits)) & mask;
  const bytesPerBlock = Math.ceil((block * bits) / 8);
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  const packedZeros = zeros && zeros.length === n * zeroBytes;
  const weights = new Float32Array(n * k);
  for (let row = 0; row < n; row++) {
    for (let i = 0; i < k; i++) {
      const at = Math.floor(i / block);
      const scale = scales[row * blocks + at]!;
      const zero = !zeros
        ? 1 << (bits - 1)
        : packedZeros
          ? code(zeros, row * zeroBytes * each + at)
          : zeros[row * blocks + at]!;
      weights[row * k + i] = scale * (code(bytes, (row * blocks + at) * bytesPerBlock * each + (i % block)) - zero);
    }
  }
  const b = build.constant("float32", [n, k], weights);
  const y = build.one("floatMatmul", [op.x(0), b], { transposeB: true, ...OPEN });
  const bias = op.optional(5);
  op.set(0, bias ? build.zip("add", y, build.plain(bias)) : y, op.input(0).type);
};

/** x · w, where the values are real or integers carried as int32. */
const matMul: Importer = (op) => {
  const side = (value: Value): number => op.build.plain(integersOf(op, value));
  op.set(0, product(op, side(op.input(0)), side(op.input(1))), op.input(0).type);
};

export const MATMUL: Readonly<Record<string, Importer>> = {
  MatMul: matMul,
  Gemm: (op) => {
    const c = op.optional(2);
    op.set(0, gemm(op, op.x(0), op.x(1), c && op.build.plain(c)), op.input(0).type);
  },
  MatMulInteger: matMulInteger,
  QLinearMatMul: qLinearMatMul,
  "com.microsoft:QGemm": qGemm,
  "com.microsoft:MatMulNBits": matMulNBits,
};
