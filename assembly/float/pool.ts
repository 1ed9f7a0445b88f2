// Max and average pooling, NHWC. Invariant: cells outside the picture take no part; of equal maxima the first,
// row by row, gets the gradient. Every window must hold at least one cell of the picture.

/** `index` gets, for each output, the element offset inside its picture that was taken. */
export function maxPool(
  x: usize, y: usize, index: usize,
  batch: i32, inH: i32, inW: i32, channels: i32, outH: i32, outW: i32,
  kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  for (let b = 0; b < batch; b++) {
    for (let oy = 0; oy < outH; oy++) {
      for (let ox = 0; ox < outW; ox++) {
        const top = max(0, oy * strideH - padTop), bottom = min(inH, oy * strideH - padTop + kernelH);
        const left = max(0, ox * strideW - padLeft), right = min(inW, ox * strideW - padLeft + kernelW);
        let c = 0;
        for (; c + 4 <= channels; c += 4) {
          let most = v128.load(x + <usize>((top * inW + left) * channels + c << 2));
          let where = i32x4.splat((top * inW + left) * channels + c);
          for (let iy = top; iy < bottom; iy++) {
            for (let ix = left; ix < right; ix++) {
              const at = (iy * inW + ix) * channels + c;
              const value = v128.load(x + <usize>(at << 2));
              const larger = f32x4.gt(value, most);
              most = v128.bitselect(value, most, larger);
              where = v128.bitselect(i32x4.splat(at), where, larger);
            }
          }
          v128.store(y, most);
          v128.store(index, i32x4.add(where, i32x4(0, 1, 2, 3)));
          y += 16;
          index += 16;
        }
        for (; c < channels; c++) {
          let where = (top * inW + left) * channels + c;
          let most = load<f32>(x + <usize>(where << 2));
          for (let iy = top; iy < bottom; iy++) {
            for (let ix = left; ix < right; ix++) {
              const at = (iy * inW + ix) * channels + c;
              const value = load<f32>(x + <usize>(at << 2));
              if (value > most) {
                most = value;
                where = at;
              }
            }
          }
          store<f32>(y, most);
          store<i32>(index, where);
          y += 4;
          index += 4;
        }
      }
    }
    x += <usize>(inH * inW * channels << 2);
  }
}

export function maxPoolBackward(dy: usize, index: usize, dx: usize, batch: i32, inSize: i32, outSize: i32): void {
  memory.fill(dx, 0, <usize>(batch * inSize << 2));
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < outSize; i++) {
      const to = dx + <usize>(load<i32>(index) << 2);
      store<f32>(to, load<f32>(to) + load<f32>(dy));
      index += 4;
      dy += 4;
    }
    dx += <usize>(inSize << 2);
  }
}

/** Forward from `picture` to `pooled`; with `back`, shares `pooled` out over `picture`, which must start as zeros. */
// @ts-ignore: decorator
@inline
function average(
  back: bool, picture: usize, pooled: usize,
  batch: i32, inH: i32, inW: i32, channels: i32, outH: i32, outW: i32,
  kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  for (let b = 0; b < batch; b++) {
    for (let oy = 0; oy < outH; oy++) {
      for (let ox = 0; ox < outW; ox++) {
        const top = max(0, oy * strideH - padTop), bottom = min(inH, oy * strideH - padTop + kernelH);
        const left = max(0, ox * strideW - padLeft), right = min(inW, ox * strideW - padLeft + kernelW);
        const share = <f32>1 / <f32>((bottom - top) * (right - left));
        for (let c = 0; c < channels; c++) {
          let sum: f32 = back ? load<f32>(pooled) * share : 0;
          for (let iy = top; iy < bottom; iy++) {
            for (let ix = left; ix < right; ix++) {
              const at = picture + <usize>((iy * inW + ix) * channels + c << 2);
              if (back) store<f32>(at, load<f32>(at) + sum);
              else sum += load<f32>(at);
            }
          }
          if (!back) store<f32>(pooled, sum * share);
          pooled += 4;
        }
      }
    }
    picture += <usize>(inH * inW * channels << 2);
  }
}

export function averagePool(
  x: usize, y: usize, batch: i32, inH: i32, inW: i32, channels: i32, outH: i32, outW: i32,
  kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  average(false, x, y, batch, inH, inW, channels, outH, outW, kernelH, kernelW, strideH, strideW, padTop, padLeft);
}

export function averagePoolBackward(
  dy: usize, dx: usize, batch: i32, inH: i32, inW: i32, channels: i32, outH: i32, outW: i32,
  kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  memory.fill(dx, 0, <usize>(batch * inH * inW * channels << 2));
  average(true, dx, dy, batch, inH, inW, channels, outH, outW, kernelH, kernelW, strideH, strideW, padTop, padLeft);
}
