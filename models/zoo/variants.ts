// What the zoo makes of the trained float CNN: by rounding alone, or by training on in integers.
import type { IntegerTraining } from "../../tools/train/index.ts";

export interface Variant {
  readonly name: string;
  /** for the table */
  readonly what: string;
  /** rounding alone: a choice of weights as "mote import --weights" takes it */
  readonly round?: string;
  readonly train?: IntegerTraining;
}

/** `dense` has 97 % of the weights and gives all the zeros; parts of all weights are said in `what`. */
const pruned = (dense: number) => ({
  zeros: (name: string): number | undefined => (name === "dense.weight" ? dense : undefined),
  structure: "block" as const,
  schedule: { from: 0, to: 0.5 },
});

export const VARIANTS: readonly Variant[] = [
  { name: "int8", what: "int8 by calibration", round: "int8" },
  { name: "int4-rounded", what: "int4 by rounding", round: "int4" },
  { name: "codebook", what: "codebook of 16 values, rounded", round: "codebook" },
  {
    name: "int4",
    what: "int4, 2 epochs in integers",
    train: { weights: "int4", epochs: 2, rate: 1e-3, distil: "self" },
  },
  {
    name: "sparse75",
    what: "int8, 75 % of blocks zero, 3 epochs",
    train: { epochs: 3, rate: 1e-3, distil: "self", prune: pruned(0.772) },
  },
  {
    name: "sparse90",
    what: "int8, 90 % of blocks zero, 3 epochs",
    train: { epochs: 3, rate: 1e-3, distil: "self", prune: pruned(0.926) },
  },
  {
    name: "int4-sparse75",
    what: "int4, 75 % of blocks zero, 3 epochs",
    train: { weights: "int4", epochs: 3, rate: 1e-3, distil: "self", prune: pruned(0.772) },
  },
  {
    name: "binary",
    what: "binary but for the first and last layer, 3 epochs",
    train: {
      weights: {
        default: "binary",
        layers: [
          { match: "conv2d_3", weights: "int8" },
          { match: "dense_18", weights: "int8" },
        ],
      },
      epochs: 3,
      rate: 2e-3,
      distil: "self",
    },
  },
];
