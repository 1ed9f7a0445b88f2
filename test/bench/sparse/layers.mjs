// The layers of the sparse bench: shapes of the benchmark models and a few squares, with whole groups of weights zero at
// random, as many as a density says.
import { graphOf } from "../layerShapes.mjs";

/** name, operator, input h, w, c, output channels, kernel h, w, stride, same padding: as in layerShapes.mjs */
export const LAYERS = [
  ["kws pw 64→64", "conv2d", 25, 5, 64, 64, 1, 1, 1, true],
  ["vww pw 64→64", "conv2d", 12, 12, 64, 64, 1, 1, 1, true],
  ["vww pw 128→128", "conv2d", 6, 6, 128, 128, 1, 1, 1, true],
  ["vww pw 256→256", "conv2d", 3, 3, 256, 256, 1, 1, 1, true],
  ["mbv2 pw 144→24", "conv2d", 56, 56, 144, 24, 1, 1, 1, true],
  ["mbv2 pw 64→384", "conv2d", 14, 14, 64, 384, 1, 1, 1, true],
  ["mbv2 pw 384→64", "conv2d", 14, 14, 384, 64, 1, 1, 1, true],
  ["mbv2 pw 960→160", "conv2d", 7, 7, 960, 160, 1, 1, 1, true],
  ["mbv2 pw 320→1280", "conv2d", 7, 7, 320, 1280, 1, 1, 1, true],
  ["square pw 96", "conv2d", 28, 28, 96, 96, 1, 1, 1, true],
  ["square pw 256", "conv2d", 14, 14, 256, 256, 1, 1, 1, true],
  ["resnet 3×3 32→64 s2", "conv2d", 16, 16, 32, 64, 3, 3, 2, true],
  ["square 3×3 64 s2", "conv2d", 16, 16, 64, 64, 3, 3, 2, true],
  ["resnet 3×3 64", "conv2d", 8, 8, 64, 64, 3, 3, 1, true],
  ["square 3×3 128", "conv2d", 14, 14, 128, 128, 3, 3, 1, true],
  ["square 5×5 64", "conv2d", 14, 14, 64, 64, 5, 5, 1, true],
  ["ad01 fc 640→128", "fullyConnected", 1, 1, 640, 128],
  ["ad01 fc 128→128", "fullyConnected", 1, 1, 128, 128],
  ["ad01 fc 128→640", "fullyConnected", 1, 1, 128, 640],
  ["mbv2 fc 1280→1000", "fullyConnected", 1, 1, 1280, 1000],
];

/** Parts of the groups that are zero. */
export const ZEROS = [0, 0.5, 0.75, 0.9];

let state = 99;
function below(count) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % count;
}

/** The layer's graph with so many of its groups zero, in weights of 8 or 4 bits. */
export function layerWith(layer, zeros, bits) {
  const graph = graphOf(layer);
  const { shape, data } = graph.tensors[1];
  const outputs = shape[0];
  const inputs = data.length / outputs;
  const run = shape.length === 4 ? shape[2] * shape[3] : inputs;
  const weights = data.map((w) => (bits === 4 ? w >> 4 : w));
  const groups = [];
  for (let n = 0; n < outputs; n += 8)
    for (let start = 0; start < inputs; start += run)
      for (let k = start; k < start + run; k += 4) groups.push([n, k, Math.min(k + 4, start + run)]);
  for (let left = Math.round(zeros * groups.length); left > 0; left--) {
    const [[n, from, to]] = groups.splice(below(groups.length), 1);
    for (let o = n; o < Math.min(n + 8, outputs); o++) weights.fill(0, o * inputs + from, o * inputs + to);
  }
  const coding = bits === 4 ? { coding: "int4" } : {};
  return { ...graph, tensors: graph.tensors.with(1, { ...graph.tensors[1], data: weights, ...coding }) };
}
