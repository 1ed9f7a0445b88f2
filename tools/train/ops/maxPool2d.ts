// Maximum over windows; padding takes no part.

import type { Value } from "../trace.ts";
import { eachCell, type WindowOptions, windowSize } from "./window.ts";

export function maxPool2d(x: Value, kernel: number, options: WindowOptions = {}): Value {
  const size = windowSize("maxPool2d", x.shape, kernel, kernel, { stride: kernel, ...options });
  const { batch, inH, inW, inC, outH, outW, stride, padTop, padLeft } = size;
  const outputs = outH * outW * inC;
  return x.trace.node(
    "maxPool2d",
    [x],
    [batch, outH, outW, inC],
    {
      forward(emit, [x], y) {
        const index = emit.buffer(batch * outputs);
        emit.call(
          "maxPool",
          x!,
          y,
          index,
          batch,
          inH,
          inW,
          inC,
          outH,
          outW,
          kernel,
          kernel,
          stride,
          stride,
          padTop,
          padLeft,
        );
        return [index];
      },
      backward(emit, { dOutput, saved: [index], write }) {
        write(0, (dx) => emit.call("maxPoolBackward", dOutput, index!, dx, batch, inH * inW * inC, outputs));
      },
      reference([x]) {
        const y = new Float64Array(batch * outputs).fill(-Infinity);
        eachCell(size, (to, from) => {
          for (let c = 0; c < inC; c++) y[to * inC + c] = Math.max(y[to * inC + c]!, x![from * inC + c]!);
        });
        return y;
      },
    },
    { window: size },
  );
}
