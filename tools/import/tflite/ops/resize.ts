// RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR. Invariant: the scale and zero point stay as they are.

import { BuiltinOptions, ResizeBilinearOptions, ResizeNearestNeighborOptions } from "../generated/tflite.ts";
import type { OperatorContext } from "../operator.ts";

interface Grid {
  alignCorners(): boolean;
  halfPixelCenters(): boolean;
}

function resize(op: OperatorContext, kind: "resizeNearest" | "resizeBilinear", grid: Grid | undefined): void {
  const x = op.activation(0);
  const y = op.output(0, x.tensor);
  op.rank(x, 4, "input");
  const [batch = 0, , , channels = 0] = x.tensor.shape;
  const size = op.ints(1, "size");
  const [outH = 0, outW = 0] = size;
  if (size.length !== 2) throw op.contradiction(`has size [${size}], expected height and width`);
  const alignCorners = grid?.alignCorners() ?? false;
  const halfPixelCenters = grid?.halfPixelCenters() ?? false;
  if (alignCorners && halfPixelCenters) throw op.contradiction("has both align_corners and half_pixel_centers");
  op.sameQuantization(x, y);
  op.expectShape(y, [batch, outH, outW, channels]);
  op.emit(kind, [x], [y], { outH, outW, alignCorners, halfPixelCenters });
}

export function resizeNearest(op: OperatorContext): void {
  const type = BuiltinOptions.ResizeNearestNeighborOptions;
  resize(op, "resizeNearest", op.optionalOptions(type, new ResizeNearestNeighborOptions()));
}

export function resizeBilinear(op: OperatorContext): void {
  resize(op, "resizeBilinear", op.optionalOptions(BuiltinOptions.ResizeBilinearOptions, new ResizeBilinearOptions()));
}
