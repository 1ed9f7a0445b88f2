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

/** Of one machine; `One`: fewer pixels than a tile has. */
interface Kernels {
  readonly dense: Line;
  readonly denseOne: Line;
  readonly winograd: Line;
  readonly sparse: Line;
  readonly sparseOne: Line;
  /** pixels at a time */
  readonly sparseTile: number;
  /** the same with weights of four bits */
  readonly int4: Line;
  readonly int4One: Line;
  readonly sparse4: Line;
  readonly sparse4One: Line;
  readonly sparse4Tile: number;
}

/** Pixels at a time of all dense kernels; those of the relaxed build that take five fill their last tiles with four. */
const DENSE_TILE = 4;

const line = (perMac: number, perOutput: number): Line => ({ perMac, perOutput });

const SIMD: Kernels = {
  dense: line(0.0322, 0.32),
  denseOne: line(0.0454, 0.21),
  winograd: line(0.0085, 1.3),
  sparse: line(0.0336, 0.29),
  sparseOne: line(0.0517, 0.81),
  sparseTile: 4,
  int4: line(0.0366, 0.5),
  int4One: line(0.0505, 0.4),
  sparse4: line(0.036, 0.4),
  sparse4One: line(0.094, 1.2),
  sparse4Tile: 4,
};

const RELAXED: Kernels = {
  dense: line(0.0238, 0.43),
  denseOne: line(0.0321, 0.07),
  winograd: line(0.0085, 1.3),
  sparse: line(0.0267, 0.39),
  sparseOne: line(0.0367, 0.96),
  sparseTile: 5,
  int4: line(0.0142, 0.6),
  int4One: line(0.0185, 0.35),
  sparse4: line(0.0195, 0.28),
  sparse4One: line(0.0254, 0.9),
  sparse4Tile: 3,
};

const ARM64: Kernels = {
  dense: line(0.29, 3),
  denseOne: line(0.36, 3),
  winograd: line(0.115, 8),
  sparse: line(0.43, 4),
  sparseOne: line(0.6, 8),
  sparseTile: 4,
  int4: line(0.33, 4),
  int4One: line(0.4, 4),
  sparse4: line(0.48, 4),
  sparse4One: line(1, 8),
  sparse4Tile: 4,
};

export interface Layer {
  /** pixels, or rows, that lie in a line for the tiles */
  readonly line: number;
  /** products of an output */
  readonly macs: number;
  /** where the layer could run by Winograd's algorithm: pixels of its tiles for one of the output */
  readonly winograd?: number | undefined;
  /** the dense layer would run on weights of four bits */
  readonly int4: boolean;
}

const cost = ({ perMac, perOutput }: Line, macs: number): number => perMac * macs + perOutput;

function tiled(pixels: number, tile: number, many: Line, one: Line, macs: number): number {
  return pixels < tile ? cost(one, macs) : (cost(many, macs) * Math.ceil(pixels / tile) * tile) / pixels;
}

function denseCost(kernels: Kernels, { line, macs, winograd, int4 }: Layer): number {
  if (int4) return tiled(line, DENSE_TILE, kernels.int4, kernels.int4One, macs);
  const direct = tiled(line, DENSE_TILE, kernels.dense, kernels.denseOne, macs);
  return winograd === undefined ? direct : Math.min(direct, cost(kernels.winograd, macs) * winograd);
}

function sparseCost(kernels: Kernels, { line }: Layer, macs: number, nibbles: boolean): number {
  const { sparse, sparseOne, sparseTile, sparse4, sparse4One, sparse4Tile } = kernels;
  return nibbles
    ? tiled(line, sparse4Tile, sparse4, sparse4One, macs)
    : tiled(line, sparseTile, sparse, sparseOne, macs);
}

/**
 * How many times as fast as dense a layer is that keeps `density` of its products, on the machine where it gains least.
 * `nibbles`: its sparse weights are of four bits.
 */
export function sparseGain(layer: Layer, density: number, nibbles: boolean): number {
  const gains = [SIMD, RELAXED, ARM64].map(
    (kernels) => denseCost(kernels, layer) / sparseCost(kernels, layer, layer.macs * density, nibbles),
  );
  return Math.min(...gains);
}
