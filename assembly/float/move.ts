// Moving elements: permuted axes, slices, and dropout, which lets some through.
// Invariant: dropout of element i depends only on (seed, salt, i), so that the backward pass makes the same choice again.

/** y, contiguous of d0 × d1 × d2 × d3, from x with a stride in elements for each of these axes. */
export function permute(
  x: usize, y: usize, d0: i32, d1: i32, d2: i32, d3: i32, s0: i32, s1: i32, s2: i32, s3: i32,
): void {
  for (let i0 = 0; i0 < d0; i0++) {
    for (let i1 = 0; i1 < d1; i1++) {
      for (let i2 = 0; i2 < d2; i2++) {
        let from = x + <usize>(i0 * s0 + i1 * s1 + i2 * s2 << 2);
        if (s3 == 1) {
          let i3 = 0;
          for (; i3 + 4 <= d3; i3 += 4, from += 16, y += 16) v128.store(y, v128.load(from));
          for (; i3 < d3; i3++, from += 4, y += 4) store<f32>(y, load<f32>(from));
        } else {
          for (let i3 = 0; i3 < d3; i3++, from += <usize>(s3 << 2), y += 4) store<f32>(y, load<f32>(from));
        }
      }
    }
  }
}

/** Copies `rows` runs of n elements between places whose rows are `fromStride` and `toStride` elements apart. */
export function copyRows(x: usize, y: usize, rows: i32, n: i32, fromStride: i32, toStride: i32): void {
  for (let r = 0; r < rows; r++) {
    memory.copy(y + <usize>(r * toStride << 2), x + <usize>(r * fromStride << 2), (<usize>n) << 2);
  }
}

/** murmur3's finalizer on four counters. */
// @ts-ignore: decorator
@inline
function mix(h: v128): v128 {
  h = v128.xor(h, i32x4.shr_u(h, 16));
  h = i32x4.mul(h, i32x4.splat(0x85ebca6b));
  h = v128.xor(h, i32x4.shr_u(h, 13));
  h = i32x4.mul(h, i32x4.splat(0xc2b2ae35));
  return v128.xor(h, i32x4.shr_u(h, 16));
}

/** y = x / (1 − rate), or 0 with probability `rate`; the seed is read from memory, where each step puts its own. */
export function dropout(x: usize, y: usize, n: i32, rate: f32, seed: usize, salt: i32): void {
  const threshold = i32x4.splat(<i32>(rate * 16777216));
  const factor = f32x4.splat(<f32>1 / (<f32>1 - rate));
  const key = mix(v128.xor(i32x4.splat(load<i32>(seed)), mix(i32x4.splat(salt))));
  let counter = i32x4(0, 1, 2, 3);
  for (let i = 0; i < n; i += 4) {
    const draw = i32x4.shr_u(mix(v128.xor(i32x4.mul(counter, i32x4.splat(0x9e3779b1)), key)), 8);
    const keep = i32x4.ge_s(draw, threshold);
    const at = (<usize>i) << 2;
    if (i + 4 <= n) {
      v128.store(y + at, v128.and(f32x4.mul(v128.load(x + at), factor), keep));
    } else {
      for (let j = 0; i + j < n; j++) {
        const to = at + ((<usize>j) << 2);
        const lane = j == 0 ? i32x4.extract_lane(keep, 0) : j == 1 ? i32x4.extract_lane(keep, 1) : i32x4.extract_lane(keep, 2);
        store<f32>(y + to, lane ? load<f32>(x + to) * f32x4.extract_lane(factor, 0) : 0);
      }
    }
    counter = i32x4.add(counter, i32x4.splat(4));
  }
}
