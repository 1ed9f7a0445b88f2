// Depthwise convolution, one kernel a channel: x [N, H, W, C], weights [1, kH, kW, C], bias [C].

import { expectShape, type Value } from "../trace.ts";
import { eachCell, type WindowOptions, windowSize } from "./window.ts";

export function depthwiseConv2d(x: Value, weights: Value, bias: Value | undefined, options: WindowOptions = {}): Value {
  const [, kernelH, kernelW, channels] = weights.shape as [number, number, number, number];
  const size = windowSize("depthwiseConv2d", x.shape, kernelH, kernelW, options);
  const { batch, inH, inW, inC, outH, outW, stride, dilation, padTop, padLeft } = size;
  expectShape(
    channels === inC,
    "depthwiseConv2d",
    `the weights [${weights.shape}] are for ${channels} channels but the input [${x.shape}] has ${inC}.`,
  );
  expectShape(dilation === 1, "depthwiseConv2d", `a dilation of ${dilation} is not supported; use 1.`);
  const geometry = [batch, inH, inW, inC, outH, outW, kernelH, kernelW, stride, stride, padTop, padLeft];
  const pixels = batch * outH * outW;
  return x.trace.node(
    "depthwiseConv2d",
    bias ? [x, weights, bias] : [x, weights],
    [batch, outH, outW, inC],
    {
      forward(emit, [x, w, b], y) {
        emit.call("depthwise", x!, w!, b ?? 0, y, ...geometry);
        return undefined;
      },
      backward(emit, { inputs: [x, w], dOutput, write }) {
        write(0, (dx) => emit.call("depthwiseInput", w!, dOutput, dx, ...geometry));
        write(1, (dw) => emit.call("depthwiseWeights", x!, dOutput, dw, ...geometry));
        if (bias) write(2, (db) => emit.call("sumRows", dOutput, 0, db, pixels, inC));
      },
      reference([x, w, b]) {
        const y = new Float64Array(pixels * inC).map((_, i) => b?.[i % inC] ?? 0);
        eachCell(size, (to, from, tap) => {
          for (let c = 0; c < inC; c++) y[to * inC + c]! += x![from * inC + c]! * w![tap * inC + c]!;
        });
        return y;
      },
    },
    { window: size },
  );
}
