// Resize: every mode is linear along each axis, so an axis is one `resample` with weights computed here (nearest: a
// gather). Coordinates and weights follow ONNX's reference: float64, then rounded to float32 once.

import type { Importer, OnnxNode } from "../node.ts";

interface Axis {
  readonly input: number;
  readonly output: number;
  /** may differ from output / input */
  readonly scale: number;
  readonly roi: readonly [number, number];
  /** the length that aligned corners span: the scaled one, not yet rounded down */
  readonly span: number;
}

/** The input coordinate of output cell `at`. */
function coordinate(mode: string, { input, output, scale, roi, span }: Axis, at: number): number {
  switch (mode) {
    case "align_corners":
      return output === 1 ? 0 : (at * (input - 1)) / (span - 1);
    case "asymmetric":
      return at / scale;
    case "pytorch_half_pixel":
      return output === 1 ? 0 : (at + 0.5) / scale - 0.5;
    case "tf_half_pixel_for_nn":
      return (at + 0.5) / scale;
    case "tf_crop_and_resize":
      return output > 1
        ? roi[0] * (input - 1) + (at * (roi[1] - roi[0]) * (input - 1)) / (output - 1)
        : 0.5 * (roi[0] + roi[1]) * (input - 1);
    case "half_pixel_symmetric": {
      const adjustment = output / (scale * input);
      return (input / 2) * (1 - adjustment) + (at + 0.5) / scale - 0.5;
    }
    default:
      return (at + 0.5) / scale - 0.5;
  }
}

/** The nearest whole place, by ONNX's nearest_mode. */
function nearest(mode: string, x: number): number {
  switch (mode) {
    case "round_prefer_ceil":
      return Math.floor(x + 0.5);
    case "floor":
      return Math.floor(x);
    case "ceil":
      return Math.ceil(x);
    default:
      return Math.ceil(x - 0.5);
  }
}

const cubic =
  (a: number) =>
  (t: number): number => {
    const x = Math.abs(t);
    if (x <= 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1;
    return x < 2 ? a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a : 0;
  };

const hat = (t: number): number => Math.max(0, 1 - Math.abs(t));

const resize: Importer = (op) => {
  const x = op.input(0);
  const rank = x.shape.length;
  const old = op.opset < 11;
  const axes = (op.ints("axes") ?? x.shape.map((_, i) => i)).map((axis) => op.wrap(axis, rank));
  const scales = op.floats("scales") ?? op.numbers(old ? 1 : 2, "the scales");
  const sizes = old ? undefined : op.numbers(3, "the sizes");
  const roi = old ? undefined : op.numbers(1, "the region");
  const mode = op.text("mode", "nearest");
  const transform = op.text("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
  const policy = op.text("keep_aspect_ratio_policy", "stretch");
  const given = sizes && sizes.length > 0 ? sizes : undefined;
  let ratios = given ? given.map((size, i) => size / x.shape[axes[i]!]!) : (scales ?? []);
  let outputs = given ?? ratios.map((scale, i) => Math.floor(x.shape[axes[i]!]! * scale));
  if (given && policy !== "stretch") {
    const ratio = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
    ratios = ratios.map(() => ratio);
    outputs = axes.map((axis) => Math.floor(ratio * x.shape[axis]! + 0.5));
  }
  if (ratios.length !== axes.length) throw op.unsupported("a Resize with neither scales nor sizes");
  const isLast = rank >= 3 && op.prefersLast(x);
  let id = isLast ? op.build.last(x) : op.build.plain(x);
  for (const [i, axis] of axes.entries()) {
    const span = !given ? x.shape[axis]! * ratios[i]! : outputs[i]!;
    const spec: Axis = {
      span,
      input: x.shape[axis]!,
      output: outputs[i]!,
      scale: ratios[i]!,
      roi: [roi?.[i] ?? 0, roi?.[i + axes.length] ?? 1],
    };
    if (spec.output < 1) throw op.unsupported(`a Resize to [${outputs}]`);
    if (spec.input === spec.output && spec.scale === 1 && transform !== "tf_crop_and_resize") continue;
    const at = !isLast || axis === 0 ? axis : axis === 1 ? rank - 1 : axis - 1;
    id = along(op, id, at, spec, mode, transform, old);
  }
  op.setIn(isLast, 0, id, x.type);
};

function along(
  op: OnnxNode,
  id: number,
  axis: number,
  spec: Axis,
  mode: string,
  transform: string,
  old: boolean,
): number {
  const { build } = op;
  const places = Array.from({ length: spec.output }, (_, at) => coordinate(transform, spec, at));
  const last = spec.input - 1;
  const outside = (x: number): boolean => transform === "tf_crop_and_resize" && (x < 0 || x > last);
  if (mode === "nearest" && !places.some(outside)) {
    const rounding = op.text("nearest_mode", old ? "floor" : "round_prefer_floor");
    const cells = places.map((x) => Math.min(last, Math.max(0, nearest(rounding, x))));
    return build.one("gather", [id, build.ints(cells)], { axis });
  }
  const antialias = op.int("antialias", 0) === 1 && spec.scale < 1;
  const stretch = antialias ? 1 / spec.scale : 1;
  const isCubic = mode === "cubic";
  const kernel = isCubic ? cubic(op.float("cubic_coeff_a", -0.75)) : hat;
  const radius = (isCubic ? 2 : 1) * stretch;
  const excludes = op.int("exclude_outside", 0) === 1;
  const extrapolation = op.float("extrapolation_value", 0);
  const rows = places.map((x) => {
    if (outside(x)) return { bias: extrapolation, taps: [] as [number, number][] };
    const taps: [number, number][] = [];
    let sum = 0;
    for (let cell = Math.floor(x - radius) + 1; cell < x + radius; cell++) {
      const weight = kernel((cell - x) / stretch);
      if (weight === 0 || (excludes && (cell < 0 || cell > last))) continue;
      sum += weight;
      taps.push([Math.min(last, Math.max(0, cell)), weight]);
    }
    const whole = excludes || antialias ? sum : 1;
    return { bias: 0, taps: taps.map(([cell, weight]): [number, number] => [cell, weight / whole]) };
  });
  const taps = Math.max(1, ...rows.map((row) => row.taps.length));
  const filled = rows.map((row) => [
    ...row.taps,
    ...Array.from({ length: taps - row.taps.length }, (): [number, number] => [0, 0]),
  ]);
  return build.one("resample", [id], {
    axis,
    taps,
    bias: rows.map((row) => row.bias),
    indices: filled.flat().map(([cell]) => cell),
    weights: filled.flat().map(([, weight]) => weight),
  });
}

export const RESIZE: Readonly<Record<string, Importer>> = { Resize: resize, Upsample: resize };
