// Depthwise convolution, NHWC, weights [kH, kW, C]: one kernel a channel.
// Invariant: each sum goes tap by tap in the order of the kernel; for the weights, pixel by pixel, a picture at a
// time. Channels go four at a time; the last ones one by one, with the same arithmetic.
import { four, put } from "./quad";

// @ts-ignore: decorator
@inline
function forwardAt(
  c: i32, whole: bool, x: usize, w: usize, bias: usize, to: usize, top: i32, left: i32,
  inH: i32, inW: i32, channels: i32, kernelH: i32, kernelW: i32,
): void {
  const at = (<usize>c) << 2;
  let sum = bias ? four(bias + at, whole) : f32x4.splat(0);
  for (let ky = 0; ky < kernelH; ky++) {
    const iy = top + ky;
    if (iy < 0 || iy >= inH) continue;
    for (let kx = 0; kx < kernelW; kx++) {
      const ix = left + kx;
      if (ix < 0 || ix >= inW) continue;
      const pixel = four(x + <usize>((iy * inW + ix) * channels << 2) + at, whole);
      sum = f32x4.add(sum, f32x4.mul(pixel, four(w + <usize>((ky * kernelW + kx) * channels << 2) + at, whole)));
    }
  }
  put(to + at, sum, whole);
}

export function depthwise(
  x: usize, w: usize, bias: usize, y: usize,
  batch: i32, inH: i32, inW: i32, channels: i32, outH: i32, outW: i32,
  kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  for (let b = 0; b < batch; b++) {
    for (let oy = 0; oy < outH; oy++) {
      for (let ox = 0; ox < outW; ox++) {
        const top = oy * strideH - padTop, left = ox * strideW - padLeft;
        let c = 0;
        for (; c + 4 <= channels; c += 4) forwardAt(c, true, x, w, bias, y, top, left, inH, inW, channels, kernelH, kernelW);
        for (; c < channels; c++) forwardAt(c, false, x, w, bias, y, top, left, inH, inW, channels, kernelH, kernelW);
        y += (<usize>channels) << 2;
      }
    }
    x += <usize>(inH * inW * channels << 2);
  }
}

// @ts-ignore: decorator
@inline
function addProduct(to: usize, a: usize, b: usize, whole: bool): void {
  put(to, f32x4.add(four(to, whole), f32x4.mul(four(a, whole), four(b, whole))), whole);
}

/** For every tap: to += a · b, where two of the three places move with the pixel. */
// @ts-ignore: decorator
@inline
function spread(
  weights: bool, other: usize, dy: usize, to: usize,
  batch: i32, inH: i32, inW: i32, channels: i32, outH: i32, outW: i32,
  kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  const bytes = (<usize>channels) << 2;
  const whole = bytes & ~15;
  const picture = <usize>(inH * inW * channels << 2);
  for (let b = 0; b < batch; b++) {
    for (let oy = 0; oy < outH; oy++) {
      for (let ox = 0; ox < outW; ox++, dy += bytes) {
        for (let ky = 0; ky < kernelH; ky++) {
          const iy = oy * strideH - padTop + ky;
          if (iy < 0 || iy >= inH) continue;
          for (let kx = 0; kx < kernelW; kx++) {
            const ix = ox * strideW - padLeft + kx;
            if (ix < 0 || ix >= inW) continue;
            const pixel = <usize>((iy * inW + ix) * channels << 2);
            const tap = <usize>((ky * kernelW + kx) * channels << 2);
            const target = to + (weights ? tap : pixel);
            const source = other + (weights ? pixel : tap);
            let c: usize = 0;
            for (; c < whole; c += 16) addProduct(target + c, source + c, dy + c, true);
            for (; c < bytes; c += 4) addProduct(target + c, source + c, dy + c, false);
          }
        }
      }
    }
    if (weights) other += picture;
    else to += picture;
  }
}

export function depthwiseInput(
  w: usize, dy: usize, dx: usize,
  batch: i32, inH: i32, inW: i32, channels: i32, outH: i32, outW: i32,
  kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  memory.fill(dx, 0, <usize>(batch * inH * inW * channels << 2));
  spread(false, w, dy, dx, batch, inH, inW, channels, outH, outW, kernelH, kernelW, strideH, strideW, padTop, padLeft);
}

export function depthwiseWeights(
  x: usize, dy: usize, dw: usize,
  batch: i32, inH: i32, inW: i32, channels: i32, outH: i32, outW: i32,
  kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  memory.fill(dw, 0, <usize>(kernelH * kernelW * channels << 2));
  spread(true, x, dy, dw, batch, inH, inW, channels, outH, outW, kernelH, kernelW, strideH, strideW, padTop, padLeft);
}
