// GRU through time (gates r, z, n as in PyTorch: the reset gate after the product).
// Invariant: time is the outermost axis; h[0] is the first state and h[t + 1] what step t makes.
//
//   gx [T, B, 3H] = x·Wxᵀ + bx, made beforehand     r, z = logistic(gx + gh)     gh = h·Whᵀ + bh
//   h  [T + 1, B, H]                                n = tanh(gx + r·gh)          h' = n + z·(h − n)
//   kept [T, B, 4H]: r, z, n, gh of n
import { logistic4, tanh4 } from "./exponential";
import { gemmPacked, packB } from "./gemm";
import { fillRows } from "./elementwise";
import { four, put } from "./quad";

// @ts-ignore: decorator
@inline
function step(j: usize, bytes: usize, whole: bool, gx: usize, gh: usize, h: usize, next: usize, kept: usize): void {
  const r = logistic4(f32x4.add(four(gx + j, whole), four(gh + j, whole)));
  const z = logistic4(f32x4.add(four(gx + bytes + j, whole), four(gh + bytes + j, whole)));
  const hn = four(gh + 2 * bytes + j, whole);
  const n = tanh4(f32x4.add(four(gx + 2 * bytes + j, whole), f32x4.mul(r, hn)));
  put(kept + j, r, whole);
  put(kept + bytes + j, z, whole);
  put(kept + 2 * bytes + j, n, whole);
  put(kept + 3 * bytes + j, hn, whole);
  put(next + j, f32x4.add(n, f32x4.mul(z, f32x4.sub(four(h + j, whole), n))), whole);
}

/** `scratch`: B·3H elements, then the packed Wh (H × 3H, columns rounded up to 8). */
export function gru(
  gx: usize, wh: usize, bh: usize, h: usize, kept: usize, scratch: usize, steps: i32, batch: i32, hidden: i32,
): void {
  const bytes = (<usize>hidden) << 2;
  const whole = bytes & ~15;
  const packed = scratch + ((<usize>(batch * 3 * hidden + 3 & ~3)) << 2);
  packB(hidden, 3 * hidden, wh, hidden, 1, packed);
  for (let t = 0; t < steps; t++) {
    let next = h + <usize>batch * bytes;
    fillRows(bh, scratch, batch, 3 * hidden);
    gemmPacked(batch, 3 * hidden, hidden, h, hidden, packed, scratch, 3 * hidden, 1);
    let gh = scratch;
    for (let b = 0; b < batch; b++) {
      let j: usize = 0;
      for (; j < whole; j += 16) step(j, bytes, true, gx, gh, h, next, kept);
      for (; j < bytes; j += 4) step(j, bytes, false, gx, gh, h, next, kept);
      gx += 3 * bytes;
      gh += 3 * bytes;
      kept += 4 * bytes;
      h += bytes;
      next += bytes;
    }
  }
}

// @ts-ignore: decorator
@inline
function stepBack(
  j: usize, bytes: usize, whole: bool, kept: usize, h: usize, dh: usize, dy: usize, dgx: usize, dgh: usize,
): void {
  const one = f32x4.splat(1);
  const r = four(kept + j, whole), z = four(kept + bytes + j, whole);
  const n = four(kept + 2 * bytes + j, whole), hn = four(kept + 3 * bytes + j, whole);
  let d = four(dh + j, whole);
  if (dy) d = f32x4.add(d, four(dy + j, whole));
  const dz = f32x4.mul(d, f32x4.sub(four(h + j, whole), n));
  const dn = f32x4.mul(f32x4.mul(d, f32x4.sub(one, z)), f32x4.sub(one, f32x4.mul(n, n)));
  const gateR = f32x4.mul(f32x4.mul(dn, hn), f32x4.mul(r, f32x4.sub(one, r)));
  const gateZ = f32x4.mul(dz, f32x4.mul(z, f32x4.sub(one, z)));
  put(dgx + j, gateR, whole);
  put(dgh + j, gateR, whole);
  put(dgx + bytes + j, gateZ, whole);
  put(dgh + bytes + j, gateZ, whole);
  put(dgx + 2 * bytes + j, dn, whole);
  put(dgh + 2 * bytes + j, f32x4.mul(dn, r), whole);
  put(dh + j, f32x4.mul(d, z), whole);
}

/**
 * dgx and dgh [T, B, 3H] from dh [B, H], which holds the last state's gradient at first and the first state's at
 * the end, and from dy [T, B, H] (0: none). `packed`: room for the packed Wh (3H × H).
 */
export function gruBackward(
  wh: usize, h: usize, kept: usize, dh: usize, dy: usize, dgx: usize, dgh: usize, packed: usize,
  steps: i32, batch: i32, hidden: i32,
): void {
  const bytes = (<usize>hidden) << 2;
  const whole = bytes & ~15;
  packB(3 * hidden, hidden, wh, hidden, 0, packed);
  for (let t = steps - 1; t >= 0; t--) {
    const row = <usize>(t * batch) * bytes;
    for (let b: usize = 0; b < <usize>batch; b++) {
      const at = row + b * bytes;
      const d = dh + b * bytes;
      const y = dy ? dy + at : 0;
      let j: usize = 0;
      for (; j < whole; j += 16) stepBack(j, bytes, true, kept + 4 * at, h + at, d, y, dgx + 3 * at, dgh + 3 * at);
      for (; j < bytes; j += 4) stepBack(j, bytes, false, kept + 4 * at, h + at, d, y, dgx + 3 * at, dgh + 3 * at);
    }
    gemmPacked(batch, hidden, 3 * hidden, dgh + 3 * row, 3 * hidden, packed, dh, hidden, 1);
  }
}
