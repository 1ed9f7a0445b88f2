// What a layer costs dense and sparse, for the choice between them. Invariant: one file serves every machine, so sparse is
// chosen only where it wins on each of them.
//
// A cost is that of one output of one pixel: `perMac` for each product and `perOutput` for the rest (bias, requantization,
// store, and the loop's start). It is linear in the products because the loops are; the two constants of each kernel were
// fitted by least squares to what `npm run bench:sparse` measures, in nanoseconds on an x86 with VNNI, for the layers
// of its table at densities from 1 to 1/10. The narrow loops of arm64 were counted, in instructions (`npm run bench:arm`).
// A tile that a row of pixels does not fill costs as much as a full one.

interface Line {
  readonly perMac: number;
  readonly perOutput: number;
}

interface Kernels {
  /** four pixels and more, and as many at a time */
  readonly dense: Line;
  readonly denseTile: number;
  readonly denseOne: Line;
  readonly winograd: Line;
  readonly sparse: Line;
  readonly sparseTile: number;
  readonly sparseOne: Line;
}

const KERNELS: readonly Kernels[] = [
  // simd on x86
  {
    dense: { perMac: 0.0311, perOutput: 0.46 },
    denseTile: 4,
    denseOne: { perMac: 0.0455, perOutput: 0.3 },
    winograd: { perMac: 0.0081, perOutput: 1.5 },
    sparse: { perMac: 0.032, perOutput: 0.36 },
    sparseTile: 4,
    sparseOne: { perMac: 0.041, perOutput: 1.4 },
  },
  // relaxed on x86
  {
    dense: { perMac: 0.0235, perOutput: 0.5 },
    denseTile: 4,
    denseOne: { perMac: 0.0303, perOutput: 0.3 },
    winograd: { perMac: 0.0081, perOutput: 1.5 },
    sparse: { perMac: 0.0255, perOutput: 0.48 },
    sparseTile: 5,
    sparseOne: { perMac: 0.0335, perOutput: 1.4 },
  },
  // simd on arm64
  {
    dense: { perMac: 0.29, perOutput: 3 },
    denseTile: 4,
    denseOne: { perMac: 0.36, perOutput: 3 },
    winograd: { perMac: 0.115, perOutput: 8 },
    sparse: { perMac: 0.43, perOutput: 4 },
    sparseTile: 4,
    sparseOne: { perMac: 0.6, perOutput: 8 },
  },
];

export interface Layer {
  /** pixels, or rows, that lie in a line for the tiles */
  readonly line: number;
  /** products of an output */
  readonly macs: number;
  readonly winograd: boolean;
}

const cost = ({ perMac, perOutput }: Line, macs: number): number => perMac * macs + perOutput;

function tiled(line: number, tile: number, many: Line, one: Line, macs: number): number {
  return line < tile ? cost(one, macs) : (cost(many, macs) * Math.ceil(line / tile) * tile) / line;
}

/** How many times as fast as dense a layer is that keeps `density` of its products, on the machine where it gains least. */
export function sparseGain({ line, macs, winograd }: Layer, density: number): number {
  const gains = KERNELS.map((kernels) => {
    const direct = tiled(line, kernels.denseTile, kernels.dense, kernels.denseOne, macs);
    const dense = winograd ? Math.min(direct, cost(kernels.winograd, macs)) : direct;
    return dense / tiled(line, kernels.sparseTile, kernels.sparse, kernels.sparseOne, macs * density);
  });
  return Math.min(...gains);
}
