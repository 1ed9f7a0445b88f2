// C = A·B, or C += A·B, in float32: under every dense, convolution, recurrent and attention layer.
// Invariant: each element of C is the sum over k in ascending order, in chunks of KC that are added to C one
// after the other, whatever m and n are: the tail kernels sum as the full tile does, so a row's bytes do not
// depend on how many rows there are. Multiply and add are two instructions: fused ones differ between machines.
//
//   B is packed in panels of eight columns, k after k; A is read where it lies:
//
//   panel:   b[k][0] … b[k][7]                         8 KiB at KC = 256: stays in the first-level cache
//              │         │
//   row 0  a[0][k] ×4 ─► c00 │ c01                     four rows × eight columns: 8 sums, 2 of B, 1 of A
//   row 1  a[1][k] ×4 ─► c10 │ c11
//   row 2                c20 │ c21
//   row 3                c30 │ c31

const KC: i32 = 256;
const NC: i32 = 256;
const MC: i32 = 96;

/** Packed panels of B, then one tile's worth of room for the columns past the end. */
const panels: usize = memory.data(KC * NC * 4, 16);
const edge: usize = memory.data(128, 16);

/**
 * c[i·ldc + j] = Σ a·b, added to what is there where `accumulate` is not 0.
 * a is [m, k] with `lda` elements between rows, or with `transposedA` [k, m]; b is [k, n], or with
 * `transposedB` [n, k]. m, n, k ≥ 0; no operand may overlap c.
 */
export function gemm(
  m: i32, n: i32, k: i32,
  a: usize, lda: i32, transposedA: i32,
  b: usize, ldb: i32, transposedB: i32,
  c: usize, ldc: i32, accumulate: i32,
): void {
  if (k == 0 && !accumulate) {
    for (let i = 0; i < m; i++) memory.fill(c + ((<usize>(i * ldc)) << 2), 0, (<usize>n) << 2);
    return;
  }
  for (let jc = 0; jc < n; jc += NC) {
    const nc = min(NC, n - jc);
    for (let pc = 0; pc < k; pc += KC) {
      const kc = min(KC, k - pc);
      if (transposedB) packTransposed(b + ((<usize>(jc * ldb + pc)) << 2), ldb, kc, nc);
      else packPlain(b + ((<usize>(pc * ldb + jc)) << 2), ldb, kc, nc);
      const block = transposedA ? a + ((<usize>(pc * lda)) << 2) : a + ((<usize>pc) << 2);
      multiplyPanels(m, nc, kc, block, lda, transposedA, panels, c + ((<usize>jc) << 2), ldc, accumulate | i32(pc > 0));
    }
  }
}

/** `batches` products; strides in elements from one batch to the next, 0 repeats. */
export function gemmBatched(
  batches: i32, strideA: i32, strideB: i32, strideC: i32,
  m: i32, n: i32, k: i32,
  a: usize, lda: i32, transposedA: i32,
  b: usize, ldb: i32, transposedB: i32,
  c: usize, ldc: i32, accumulate: i32,
): void {
  for (let i = 0; i < batches; i++) {
    gemm(m, n, k, a, lda, transposedA, b, ldb, transposedB, c, ldc, accumulate);
    a += (<usize>strideA) << 2;
    b += (<usize>strideB) << 2;
    c += (<usize>strideC) << 2;
  }
}

/** Elements of one packed B of k × n, for `gemmPacked`. */
// @ts-ignore: decorator
@inline
export function packedElements(k: i32, n: i32): i32 {
  return k * ((n + 7) & ~7);
}

/** Packs the whole of B once, where many products share it (a recurrent layer's steps). */
export function packB(k: i32, n: i32, b: usize, ldb: i32, transposedB: i32, to: usize): void {
  for (let j = 0; j < n; j += 8) {
    const width = min(8, n - j);
    if (transposedB) packPanelTransposed(b + ((<usize>(j * ldb)) << 2), ldb, k, width, to);
    else packPanelPlain(b + ((<usize>j) << 2), ldb, k, width, to);
    to += (<usize>k) << 5;
  }
}

/** As `gemm`, with a B that `packB` made: one chunk of k, so meant for k of at most a few hundred. */
export function gemmPacked(
  m: i32, n: i32, k: i32, a: usize, lda: i32, packed: usize, c: usize, ldc: i32, accumulate: i32,
): void {
  multiplyPanels(m, n, k, a, lda, 0, packed, c, ldc, accumulate);
}

function multiplyPanels(
  m: i32, n: i32, k: i32, a: usize, lda: i32, transposedA: i32, packed: usize, c: usize, ldc: i32, accumulate: i32,
): void {
  const ldaBytes = (<usize>lda) << 2;
  const ldcBytes = (<usize>ldc) << 2;
  for (let ic = 0; ic < m; ic += MC) {
    const end = min(m, ic + MC);
    let panel = packed;
    for (let j = 0; j < n; j += 8) {
      const width = min(8, n - j);
      let i = ic;
      for (; i + 4 <= end; i += 4) {
        const to = c + (<usize>i) * ldcBytes + ((<usize>j) << 2);
        const from = transposedA ? a + ((<usize>i) << 2) : a + (<usize>i) * ldaBytes;
        if (width == 8) {
          if (transposedA) tileTransposed(k, from, ldaBytes, panel, to, ldcBytes, accumulate);
          else tilePlain(k, from, ldaBytes, panel, to, ldcBytes, accumulate);
        } else {
          if (transposedA) tileTransposed(k, from, ldaBytes, panel, edge, 32, 0);
          else tilePlain(k, from, ldaBytes, panel, edge, 32, 0);
          for (let row = 0; row < 4; row++) {
            storeColumns(edge + ((<usize>row) << 5), to + (<usize>row) * ldcBytes, width, accumulate);
          }
        }
      }
      for (; i < end; i++) {
        const from = transposedA ? a + ((<usize>i) << 2) : a + (<usize>i) * ldaBytes;
        oneRow(k, from, transposedA ? ldaBytes : 4, panel);
        storeColumns(edge, c + (<usize>i) * ldcBytes + ((<usize>j) << 2), width, accumulate);
      }
      panel += (<usize>k) << 5;
    }
  }
}

function storeColumns(from: usize, to: usize, width: i32, accumulate: i32): void {
  for (let j = 0; j < width; j++) {
    const value = load<f32>(from);
    store<f32>(to, accumulate ? load<f32>(to) + value : value);
    from += 4;
    to += 4;
  }
}

// @ts-ignore: decorator
@inline
function put(to: usize, low: v128, high: v128, accumulate: i32): void {
  if (accumulate) {
    low = f32x4.add(v128.load(to), low);
    high = f32x4.add(v128.load(to, 16), high);
  }
  v128.store(to, low);
  v128.store(to, high, 16);
}

/** Four rows, each contiguous in k. */
function tilePlain(k: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize, accumulate: i32): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0), c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  let a1 = a + lda, a2 = a1 + lda, a3 = a2 + lda;
  const unrolled = a + ((<usize>(k & ~1)) << 2);
  while (a < unrolled) {
    let b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = f32x4.add(c00, f32x4.mul(x, b0));
    c01 = f32x4.add(c01, f32x4.mul(x, b1));
    x = v128.load32_splat(a1);
    c10 = f32x4.add(c10, f32x4.mul(x, b0));
    c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a2);
    c20 = f32x4.add(c20, f32x4.mul(x, b0));
    c21 = f32x4.add(c21, f32x4.mul(x, b1));
    x = v128.load32_splat(a3);
    c30 = f32x4.add(c30, f32x4.mul(x, b0));
    c31 = f32x4.add(c31, f32x4.mul(x, b1));
    b0 = v128.load(b, 32);
    b1 = v128.load(b, 48);
    x = v128.load32_splat(a, 4);
    c00 = f32x4.add(c00, f32x4.mul(x, b0));
    c01 = f32x4.add(c01, f32x4.mul(x, b1));
    x = v128.load32_splat(a1, 4);
    c10 = f32x4.add(c10, f32x4.mul(x, b0));
    c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a2, 4);
    c20 = f32x4.add(c20, f32x4.mul(x, b0));
    c21 = f32x4.add(c21, f32x4.mul(x, b1));
    x = v128.load32_splat(a3, 4);
    c30 = f32x4.add(c30, f32x4.mul(x, b0));
    c31 = f32x4.add(c31, f32x4.mul(x, b1));
    a += 8;
    a1 += 8;
    a2 += 8;
    a3 += 8;
    b += 64;
  }
  if (k & 1) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = f32x4.add(c00, f32x4.mul(x, b0));
    c01 = f32x4.add(c01, f32x4.mul(x, b1));
    x = v128.load32_splat(a1);
    c10 = f32x4.add(c10, f32x4.mul(x, b0));
    c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a2);
    c20 = f32x4.add(c20, f32x4.mul(x, b0));
    c21 = f32x4.add(c21, f32x4.mul(x, b1));
    x = v128.load32_splat(a3);
    c30 = f32x4.add(c30, f32x4.mul(x, b0));
    c31 = f32x4.add(c31, f32x4.mul(x, b1));
  }
  put(c, c00, c01, accumulate);
  c += ldc;
  put(c, c10, c11, accumulate);
  c += ldc;
  put(c, c20, c21, accumulate);
  c += ldc;
  put(c, c30, c31, accumulate);
}

/** Four columns of an A that lies [k, m]: neighbours in memory at each k. */
function tileTransposed(k: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize, accumulate: i32): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0), c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  const end = b + ((<usize>k) << 5);
  while (b < end) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = f32x4.add(c00, f32x4.mul(x, b0));
    c01 = f32x4.add(c01, f32x4.mul(x, b1));
    x = v128.load32_splat(a, 4);
    c10 = f32x4.add(c10, f32x4.mul(x, b0));
    c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a, 8);
    c20 = f32x4.add(c20, f32x4.mul(x, b0));
    c21 = f32x4.add(c21, f32x4.mul(x, b1));
    x = v128.load32_splat(a, 12);
    c30 = f32x4.add(c30, f32x4.mul(x, b0));
    c31 = f32x4.add(c31, f32x4.mul(x, b1));
    a += lda;
    b += 32;
  }
  put(c, c00, c01, accumulate);
  c += ldc;
  put(c, c10, c11, accumulate);
  c += ldc;
  put(c, c20, c21, accumulate);
  c += ldc;
  put(c, c30, c31, accumulate);
}

/** One row into `edge`; `step` bytes from one k to the next. */
function oneRow(k: i32, a: usize, step: usize, b: usize): void {
  let c0 = f32x4.splat(0), c1 = f32x4.splat(0);
  const end = b + ((<usize>k) << 5);
  while (b < end) {
    const x = v128.load32_splat(a);
    c0 = f32x4.add(c0, f32x4.mul(x, v128.load(b)));
    c1 = f32x4.add(c1, f32x4.mul(x, v128.load(b, 16)));
    a += step;
    b += 32;
  }
  v128.store(edge, c0);
  v128.store(edge, c1, 16);
}

function packPlain(b: usize, ldb: i32, k: i32, n: i32): void {
  let to = panels;
  for (let j = 0; j < n; j += 8) {
    packPanelPlain(b + ((<usize>j) << 2), ldb, k, min(8, n - j), to);
    to += (<usize>k) << 5;
  }
}

function packTransposed(b: usize, ldb: i32, k: i32, n: i32): void {
  let to = panels;
  for (let j = 0; j < n; j += 8) {
    packPanelTransposed(b + ((<usize>(j * ldb)) << 2), ldb, k, min(8, n - j), to);
    to += (<usize>k) << 5;
  }
}

/** B as [k, n]: eight neighbours a row; columns past `width` are zero. */
function packPanelPlain(b: usize, ldb: i32, k: i32, width: i32, to: usize): void {
  const step = (<usize>ldb) << 2;
  const end = to + ((<usize>k) << 5);
  while (to < end) {
    if (width == 8) {
      v128.store(to, v128.load(b));
      v128.store(to, v128.load(b, 16), 16);
    } else {
      v128.store(to, f32x4.splat(0));
      v128.store(to, f32x4.splat(0), 16);
      for (let j: usize = 0; j < <usize>width; j++) store<f32>(to + (j << 2), load<f32>(b + (j << 2)));
    }
    b += step;
    to += 32;
  }
}

/** B as [n, k]: four rows of four at a time are turned over. */
function packPanelTransposed(b: usize, ldb: i32, k: i32, width: i32, to: usize): void {
  const step = (<usize>ldb) << 2;
  if (width == 8) {
    turnFour(b, step, k, to);
    turnFour(b + 4 * step, step, k, to + 16);
    return;
  }
  for (let at: i32 = 0; at < k; at++) {
    v128.store(to, f32x4.splat(0));
    v128.store(to, f32x4.splat(0), 16);
    for (let j: usize = 0; j < <usize>width; j++) store<f32>(to + (j << 2), load<f32>(b + j * step));
    b += 4;
    to += 32;
  }
}

/** Four rows of k become k quadruples, 32 bytes apart. */
function turnFour(b0: usize, step: usize, k: i32, to: usize): void {
  let b1 = b0 + step, b2 = b1 + step, b3 = b2 + step;
  let at: i32 = 0;
  for (; at + 4 <= k; at += 4) {
    const r0 = v128.load(b0), r1 = v128.load(b1), r2 = v128.load(b2), r3 = v128.load(b3);
    const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
    const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
    const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
    const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f64>(low01, low23, 0, 2));
    v128.store(to, v128.shuffle<f64>(low01, low23, 1, 3), 32);
    v128.store(to, v128.shuffle<f64>(high01, high23, 0, 2), 64);
    v128.store(to, v128.shuffle<f64>(high01, high23, 1, 3), 96);
    b0 += 16;
    b1 += 16;
    b2 += 16;
    b3 += 16;
    to += 128;
  }
  for (; at < k; at++) {
    store<f32>(to, load<f32>(b0));
    store<f32>(to, load<f32>(b1), 4);
    store<f32>(to, load<f32>(b2), 8);
    store<f32>(to, load<f32>(b3), 12);
    b0 += 4;
    b1 += 4;
    b2 += 4;
    b3 += 4;
    to += 32;
  }
}
