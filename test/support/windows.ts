// The geometry of a random convolution, for the tests of conv2d, depthwiseConv2d and their int16 kin.
// Invariant: the kernel fits into the input, and no padding is as large as the kernel's extent.

interface WindowCase {
  readonly inH: number;
  readonly inW: number;
  readonly kernelH: number;
  readonly kernelW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  /** any number, from which the four paddings are made */
  readonly pad: number;
}

/** The input's size, at least the kernel's extent, the paddings, and the output's size. */
export function windowOf(c: WindowCase) {
  const extentH = (c.kernelH - 1) * c.dilationH + 1;
  const extentW = (c.kernelW - 1) * c.dilationW + 1;
  const inH = Math.max(c.inH, extentH);
  const inW = Math.max(c.inW, extentW);
  const padding = {
    top: c.pad % extentH,
    bottom: (c.pad * 3) % extentH,
    left: (c.pad * 5) % extentW,
    right: (c.pad * 7) % extentW,
  };
  const outH = Math.floor((inH + padding.top + padding.bottom - extentH) / c.strideH) + 1;
  const outW = Math.floor((inW + padding.left + padding.right - extentW) / c.strideW) + 1;
  return { inH, inW, padding, outH, outW };
}
