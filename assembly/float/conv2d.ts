// Two-dimensional convolution, NHWC, weights [outC, kH, kW, inC]: as products of patches.
// Invariant: patches are made for a few pictures at a time (`group`), into scratch of group·outH·outW·kH·kW·inC
// elements; what lies outside the picture is zero. Sums over groups go in ascending order.
//
//   patches [pixels, kH·kW·inC]      forward:   y  = patches · wᵀ
//                                    weights:   dw = dyᵀ · patches
//                                    input:     patches of dx = dy · w, then added up where they overlap
import { gemm } from "./gemm";
import { fillRows } from "./elementwise";

/** Copies n floats. */
// @ts-ignore: decorator
@inline
function copyRun(from: usize, to: usize, n: i32): void {
  const whole = from + ((<usize>(n & ~3)) << 2);
  while (from < whole) {
    v128.store(to, v128.load(from));
    from += 16;
    to += 16;
  }
  const end = from + ((<usize>(n & 3)) << 2);
  while (from < end) {
    store<f32>(to, load<f32>(from));
    from += 4;
    to += 4;
  }
}

// @ts-ignore: decorator
@inline
function clearRun(to: usize, n: i32): void {
  const end = to + ((<usize>n) << 2);
  while (to < end) {
    store<f32>(to, 0);
    to += 4;
  }
}

// @ts-ignore: decorator
@inline
function addRun(from: usize, to: usize, n: i32): void {
  const whole = from + ((<usize>(n & ~3)) << 2);
  while (from < whole) {
    v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    from += 16;
    to += 16;
  }
  const end = from + ((<usize>(n & 3)) << 2);
  while (from < end) {
    store<f32>(to, load<f32>(to) + load<f32>(from));
    from += 4;
    to += 4;
  }
}

/** One picture's patches; with `back`, adds the patches to the picture instead. */
// @ts-ignore: decorator
@inline
function walk(
  back: bool, x: usize, patches: usize,
  inH: i32, inW: i32, inC: i32, outH: i32, outW: i32,
  kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, dilationH: i32, dilationW: i32, padTop: i32, padLeft: i32,
): void {
  const cellBytes = (<usize>inC) << 2;
  for (let oy = 0; oy < outH; oy++) {
    for (let ox = 0; ox < outW; ox++) {
      const left = ox * strideW - padLeft;
      for (let ky = 0; ky < kernelH; ky++) {
        const iy = oy * strideH - padTop + ky * dilationH;
        const inside = iy >= 0 && iy < inH;
        if (inside && dilationW == 1 && left >= 0 && left + kernelW <= inW) {
          const at = x + <usize>((iy * inW + left) * inC << 2);
          if (back) addRun(patches, at, kernelW * inC);
          else copyRun(at, patches, kernelW * inC);
          patches += <usize>kernelW * cellBytes;
        } else {
          for (let kx = 0; kx < kernelW; kx++) {
            const ix = left + kx * dilationW;
            if (inside && ix >= 0 && ix < inW) {
              const at = x + <usize>((iy * inW + ix) * inC << 2);
              if (back) addRun(patches, at, inC);
              else copyRun(at, patches, inC);
            } else if (!back) {
              clearRun(patches, inC);
            }
            patches += cellBytes;
          }
        }
      }
    }
  }
}

function gather(
  x: usize, patches: usize, inH: i32, inW: i32, inC: i32, outH: i32, outW: i32, kernelH: i32, kernelW: i32,
  strideH: i32, strideW: i32, dilationH: i32, dilationW: i32, padTop: i32, padLeft: i32,
): void {
  walk(false, x, patches, inH, inW, inC, outH, outW, kernelH, kernelW, strideH, strideW, dilationH, dilationW, padTop, padLeft);
}

function scatter(
  x: usize, patches: usize, inH: i32, inW: i32, inC: i32, outH: i32, outW: i32, kernelH: i32, kernelW: i32,
  strideH: i32, strideW: i32, dilationH: i32, dilationW: i32, padTop: i32, padLeft: i32,
): void {
  walk(true, x, patches, inH, inW, inC, outH, outW, kernelH, kernelW, strideH, strideW, dilationH, dilationW, padTop, padLeft);
}

/** y = conv(x, w) + bias; bias 0 is none. */
export function conv2d(
  x: usize, w: usize, bias: usize, y: usize, scratch: usize, group: i32,
  batch: i32, inH: i32, inW: i32, inC: i32, outH: i32, outW: i32, outC: i32,
  kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, dilationH: i32, dilationW: i32, padTop: i32, padLeft: i32,
): void {
  const depth = kernelH * kernelW * inC;
  const picture = outH * outW;
  for (let b = 0; b < batch; b += group) {
    const count = min(group, batch - b);
    for (let i = 0; i < count; i++) {
      gather(x + <usize>((b + i) * inH * inW * inC << 2), scratch + <usize>(i * picture * depth << 2), inH, inW, inC, outH, outW, kernelH, kernelW, strideH, strideW, dilationH, dilationW, padTop, padLeft);
    }
    const to = y + <usize>(b * picture * outC << 2);
    if (bias) fillRows(bias, to, count * picture, outC);
    gemm(count * picture, outC, depth, scratch, depth, 0, w, depth, 1, to, outC, i32(bias != 0));
  }
}

/** dw = Σ over pixels of dy · patch. */
export function conv2dWeights(
  x: usize, dy: usize, dw: usize, scratch: usize, group: i32,
  batch: i32, inH: i32, inW: i32, inC: i32, outH: i32, outW: i32, outC: i32,
  kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, dilationH: i32, dilationW: i32, padTop: i32, padLeft: i32,
): void {
  const depth = kernelH * kernelW * inC;
  const picture = outH * outW;
  for (let b = 0; b < batch; b += group) {
    const count = min(group, batch - b);
    for (let i = 0; i < count; i++) {
      gather(x + <usize>((b + i) * inH * inW * inC << 2), scratch + <usize>(i * picture * depth << 2), inH, inW, inC, outH, outW, kernelH, kernelW, strideH, strideW, dilationH, dilationW, padTop, padLeft);
    }
    gemm(outC, depth, count * picture, dy + <usize>(b * picture * outC << 2), outC, 1, scratch, depth, 0, dw, depth, i32(b > 0));
  }
}

/** dx: every pixel's share of the patches it is in. */
export function conv2dInput(
  w: usize, dy: usize, dx: usize, scratch: usize, group: i32,
  batch: i32, inH: i32, inW: i32, inC: i32, outH: i32, outW: i32, outC: i32,
  kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, dilationH: i32, dilationW: i32, padTop: i32, padLeft: i32,
): void {
  const depth = kernelH * kernelW * inC;
  const picture = outH * outW;
  memory.fill(dx, 0, <usize>(batch * inH * inW * inC << 2));
  for (let b = 0; b < batch; b += group) {
    const count = min(group, batch - b);
    gemm(count * picture, depth, outC, dy + <usize>(b * picture * outC << 2), outC, 0, w, depth, 0, scratch, depth, 0);
    for (let i = 0; i < count; i++) {
      scatter(dx + <usize>((b + i) * inH * inW * inC << 2), scratch + <usize>(i * picture * depth << 2), inH, inW, inC, outH, outW, kernelH, kernelW, strideH, strideW, dilationH, dilationW, padTop, padLeft);
    }
  }
}
