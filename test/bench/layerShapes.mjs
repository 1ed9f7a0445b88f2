// The single operators of the bench: shapes of the benchmark models' layers, as graphs with random weights.

/** name, operator, input h, w, c, output channels, kernel h, w, stride, same padding */
export const LAYERS = [
  ["kws first", "conv2d", 49, 10, 1, 64, 10, 4, 2, true],
  ["kws depthwise", "depthwiseConv2d", 25, 5, 64, 64, 3, 3, 1, true],
  ["kws pointwise", "conv2d", 25, 5, 64, 64, 1, 1, 1, true],
  ["kws dense", "fullyConnected", 1, 1, 64, 12],
  ["resnet first", "conv2d", 32, 32, 3, 16, 3, 3, 1, true],
  ["resnet 16 3×3", "conv2d", 32, 32, 16, 16, 3, 3, 1, true],
  ["resnet 16→32 s2", "conv2d", 32, 32, 16, 32, 3, 3, 2, true],
  ["resnet 32 3×3", "conv2d", 16, 16, 32, 32, 3, 3, 1, true],
  ["resnet 32→64 s2", "conv2d", 16, 16, 32, 64, 3, 3, 2, true],
  ["resnet 64 3×3", "conv2d", 8, 8, 64, 64, 3, 3, 1, true],
  ["resnet 1×1 s2", "conv2d", 32, 32, 16, 32, 1, 1, 2, true],
  ["vww first", "conv2d", 96, 96, 3, 8, 3, 3, 2, true],
  ["vww dw 48×48×8", "depthwiseConv2d", 48, 48, 8, 8, 3, 3, 1, true],
  ["vww pw 8→16", "conv2d", 48, 48, 8, 16, 1, 1, 1, true],
  ["vww dw s2 16", "depthwiseConv2d", 48, 48, 16, 16, 3, 3, 2, true],
  ["vww dw 24×24×32", "depthwiseConv2d", 24, 24, 32, 32, 3, 3, 1, true],
  ["vww pw 32→32", "conv2d", 24, 24, 32, 32, 1, 1, 1, true],
  ["vww dw 6×6×128", "depthwiseConv2d", 6, 6, 128, 128, 3, 3, 1, true],
  ["vww pw 128→128", "conv2d", 6, 6, 128, 128, 1, 1, 1, true],
  ["vww pw 3×3 256", "conv2d", 3, 3, 256, 256, 1, 1, 1, true],
  ["strww dw 5×1", "depthwiseConv2d", 28, 1, 128, 128, 5, 1, 1, false],
  ["strww pw", "conv2d", 24, 1, 128, 128, 1, 1, 1, true],
  ["ad01 640→128", "fullyConnected", 1, 1, 640, 128],
  ["ad01 128→640", "fullyConnected", 1, 1, 128, 640],
  ["mbv2 first", "conv2d", 224, 224, 3, 32, 3, 3, 2, true],
  ["mbv2 dw 112 32", "depthwiseConv2d", 112, 112, 32, 32, 3, 3, 1, true],
  ["mbv2 pw 32→16", "conv2d", 112, 112, 32, 16, 1, 1, 1, true],
  ["mbv2 pw 16→96", "conv2d", 112, 112, 16, 96, 1, 1, 1, true],
  ["mbv2 dw s2 96", "depthwiseConv2d", 112, 112, 96, 96, 3, 3, 2, true],
  ["mbv2 pw 144→24", "conv2d", 56, 56, 144, 24, 1, 1, 1, true],
  ["mbv2 dw 56 144", "depthwiseConv2d", 56, 56, 144, 144, 3, 3, 1, true],
  ["mbv2 dw 14 384", "depthwiseConv2d", 14, 14, 384, 384, 3, 3, 1, true],
  ["mbv2 pw 384→64", "conv2d", 14, 14, 384, 64, 1, 1, 1, true],
  ["mbv2 pw 960→160", "conv2d", 7, 7, 960, 160, 1, 1, 1, true],
  ["mbv2 pw 320→1280", "conv2d", 7, 7, 320, 1280, 1, 1, 1, true],
  ["mbv2 dense", "fullyConnected", 1, 1, 1280, 1000],
];

let state = 1;
const word = () => {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
};
export const int8 = (count, min = -128) => Int8Array.from({ length: count }, () => min + (word() % (128 - min)));
const quant = (scale, zeroPoint = 0) => ({
  scale: Float32Array.of(scale),
  zeroPoint: Int32Array.of(zeroPoint),
  axis: 0,
});

export function graphOf([name, op, h, w, c, n, kh = 1, kw = 1, stride = 1, same = true]) {
  const depthwise = op === "depthwiseConv2d";
  const dense = op === "fullyConnected";
  const size = (extent, kernel) => (same ? Math.ceil(extent / stride) : Math.floor((extent - kernel) / stride) + 1);
  const [outH, outW] = [size(h, kh), size(w, kw)];
  const pad = (extent, out, kernel) => (same ? Math.max(0, (out - 1) * stride + kernel - extent) : 0);
  const [padH, padW] = [pad(h, outH, kh), pad(w, outW, kw)];
  const padding = { top: padH >> 1, bottom: padH - (padH >> 1), left: padW >> 1, right: padW - (padW >> 1) };
  const weightShape = dense ? [n, c] : depthwise ? [1, kh, kw, n] : [n, kh, kw, c];
  const k = depthwise ? kh * kw : kh * kw * c;
  const tensors = [
    { name: "x", shape: dense ? [1, c] : [1, h, w, c], dtype: "int8", quant: quant(0.05, -3) },
    {
      name: "w",
      shape: weightShape,
      dtype: "int8",
      quant: quant(0.01),
      data: int8(
        weightShape.reduce((a, b) => a * b),
        -127,
      ),
    },
    { name: "b", shape: [n], dtype: "int32", data: Int32Array.from({ length: n }, () => (word() % 4000) - 2000) },
    { name: "y", shape: dense ? [1, n] : [1, outH, outW, n], dtype: "int8", quant: quant(0.04 * Math.sqrt(k), 5) },
  ];
  const attrs = {
    strideH: stride,
    strideW: stride,
    dilationH: 1,
    dilationW: 1,
    padding,
    activation: "none",
    multiplier: 1,
  };
  return { name, tensors, nodes: [{ op, name, inputs: [0, 1, 2], outputs: [3], attrs }], inputs: [0], outputs: [3] };
}
