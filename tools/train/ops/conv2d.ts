// Convolution: x [N, H, W, inC], weights [outC, kH, kW, inC], bias [outC].

import { expectShape, type Value } from "../trace.ts";
import { eachCell, type WindowOptions, windowSize } from "./window.ts";

/** Patches are made for as many pictures as fit into this many elements: they stay in the second-level cache. */
const PATCH_ELEMENTS = 1 << 17;

export function conv2d(x: Value, weights: Value, bias: Value | undefined, options: WindowOptions = {}): Value {
  const [outC, kernelH, kernelW, depth] = weights.shape as [number, number, number, number];
  const size = windowSize("conv2d", x.shape, kernelH, kernelW, options);
  const { batch, inH, inW, inC, outH, outW, stride, dilation, padTop, padLeft, padBottom, padRight } = size;
  expectShape(
    depth === inC,
    "conv2d",
    `the weights [${weights.shape}] are for ${depth} channels but the input [${x.shape}] has ${inC}.`,
  );
  const patch = kernelH * kernelW * inC;
  const pixels = batch * outH * outW;
  const group = Math.min(batch, Math.max(1, Math.floor(PATCH_ELEMENTS / (outH * outW * patch))));
  const isPointwise = kernelH === 1 && kernelW === 1 && stride === 1 && padTop + padLeft + padBottom + padRight === 0;
  const geometry = [
    batch,
    inH,
    inW,
    inC,
    outH,
    outW,
    outC,
    kernelH,
    kernelW,
    stride,
    stride,
    dilation,
    dilation,
    padTop,
    padLeft,
  ];
  return x.trace.node(
    "conv2d",
    bias ? [x, weights, bias] : [x, weights],
    [batch, outH, outW, outC],
    {
      forward(emit, [x, w, b], y) {
        if (isPointwise) {
          if (b) emit.call("fillRows", b, y, pixels, outC);
          emit.call("gemm", pixels, outC, inC, x!, inC, 0, w!, inC, 1, y, outC, b ? 1 : 0);
        } else {
          emit.call("conv2d", x!, w!, b ?? 0, y, emit.buffer(group * outH * outW * patch), group, ...geometry);
        }
        return undefined;
      },
      backward(emit, { inputs: [x, w], dOutput, write }) {
        write(0, (dx) => {
          if (isPointwise) emit.call("gemm", pixels, inC, outC, dOutput, outC, 0, w!, inC, 0, dx, inC, 0);
          else emit.call("conv2dInput", w!, dOutput, dx, emit.buffer(group * outH * outW * patch), group, ...geometry);
        });
        write(1, (dw) => {
          if (isPointwise) emit.call("gemm", outC, inC, pixels, dOutput, outC, 1, x!, inC, 0, dw, inC, 0);
          else
            emit.call("conv2dWeights", x!, dOutput, dw, emit.buffer(group * outH * outW * patch), group, ...geometry);
        });
        if (bias) write(2, (db) => emit.call("sumRows", dOutput, 0, db, pixels, outC));
      },
      reference([x, w, b]) {
        const y = new Float64Array(pixels * outC).map((_, i) => b?.[i % outC] ?? 0);
        eachCell(size, (to, from, tap) => {
          for (let o = 0; o < outC; o++) {
            let sum = 0;
            for (let c = 0; c < inC; c++) sum += x![from * inC + c]! * w![(o * kernelH * kernelW + tap) * inC + c]!;
            y[to * outC + o]! += sum;
          }
        });
        return y;
      },
    },
    { window: size },
  );
}
