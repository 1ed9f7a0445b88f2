// Mean over windows; padding is not counted.

import type { Value } from "../trace.ts";
import { eachCell, type WindowOptions, windowSize } from "./window.ts";

export function averagePool2d(x: Value, kernel: number, options: WindowOptions = {}): Value {
  const size = windowSize("averagePool2d", x.shape, kernel, kernel, { stride: kernel, ...options });
  const { batch, inH, inW, inC, outH, outW, stride, padTop, padLeft } = size;
  const geometry = [batch, inH, inW, inC, outH, outW, kernel, kernel, stride, stride, padTop, padLeft];
  return x.trace.node(
    "averagePool2d",
    [x],
    [batch, outH, outW, inC],
    {
      forward(emit, [x], y) {
        emit.call("averagePool", x!, y, ...geometry);
        return undefined;
      },
      backward(emit, { dOutput, write }) {
        write(0, (dx) => emit.call("averagePoolBackward", dOutput, dx, ...geometry));
      },
      reference([x]) {
        const y = new Float64Array(batch * outH * outW * inC);
        const count = new Float64Array(batch * outH * outW);
        eachCell(size, (to, from) => {
          count[to]!++;
          for (let c = 0; c < inC; c++) y[to * inC + c]! += x![from * inC + c]!;
        });
        return y.map((sum, i) => sum / count[Math.floor(i / inC)]!);
      },
    },
    { window: size },
  );
}
