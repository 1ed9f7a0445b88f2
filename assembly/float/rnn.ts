// Elman's recurrent layer through time: h' = tanh(gx + h·Whᵀ + bh). Invariant: as in gru.ts.
import { gemmPacked, packB } from "./gemm";
import { add, tanh } from "./elementwise";
import { four, put } from "./quad";

/** gx [T, B, H] = x·Wxᵀ + bx; h [T + 1, B, H]; `packed`: room for the packed Wh (H × H). */
export function rnn(
  gx: usize, wh: usize, bh: usize, h: usize, packed: usize, steps: i32, batch: i32, hidden: i32,
): void {
  const block = <usize>(batch * hidden) << 2;
  packB(hidden, hidden, wh, hidden, 1, packed);
  for (let t = 0; t < steps; t++) {
    add(gx, bh, h + block, batch, hidden);
    gemmPacked(batch, hidden, hidden, h, hidden, packed, h + block, hidden, 1);
    h += block;
    tanh(h, h, batch * hidden);
    gx += block;
  }
}

/** As gruBackward; dgx [T, B, H]. */
export function rnnBackward(
  wh: usize, h: usize, dh: usize, dy: usize, dgx: usize, packed: usize, steps: i32, batch: i32, hidden: i32,
): void {
  const block = <usize>(batch * hidden) << 2;
  const whole = block & ~15;
  packB(hidden, hidden, wh, hidden, 0, packed);
  for (let t = steps - 1; t >= 0; t--) {
    const row = <usize>t * block;
    for (let j: usize = 0; j < block; j += j < whole ? 16 : 4) {
      const at = row + j;
      const full = j < whole;
      const y = four(h + block + at, full);
      let d = four(dh + j, full);
      if (dy) d = f32x4.add(d, four(dy + at, full));
      put(dgx + at, f32x4.mul(d, f32x4.sub(f32x4.splat(1), f32x4.mul(y, y))), full);
    }
    gemmPacked(batch, hidden, hidden, dgx + row, hidden, packed, dh, hidden, 0);
  }
}
