// A classifier small enough to know its answers: an 8×8 grey picture → which third of its rows is the
// brightest. Invariant: scores are about three times the mean brightness of the rows 0–2, 3–5 and 6–7.

import type { Meaning } from "../../host/format/header.ts";
import type { Graph } from "../../tools/graph/graph.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { activation, constant, quant, singleNode } from "../support/graphs.ts";

export const LABELS = ["top", "middle", "bottom"];
const PICTURE: Meaning = { kind: "image", mean: 0, std: 255 };

/** Rows of the picture that each class sums. */
const ROWS = [
  [0, 3],
  [3, 6],
  [6, 8],
] as const;

export function classifierGraph(): Graph {
  const weights = new Int8Array(3 * 64);
  for (const [label, [from, to]] of ROWS.entries())
    weights.fill(120 / (to - from), label * 64 + from * 8, label * 64 + to * 8);
  const graph = singleNode(
    { op: "fullyConnected", attrs: { activation: "none" } },
    [activation("image", [1, 8, 8, 1], 1 / 255, -128), constant("w", [3, 64], "int8", weights, quant(1 / 320))],
    [activation("scores", [1, 3], 1 / 64, -128)],
  );
  return { ...graph, name: "thirds" };
}

export function classifier(meaning: Meaning | undefined = PICTURE): Uint8Array {
  return packGraph(classifierGraph(), {
    source: "thirds.tflite",
    sourceBytes: new Uint8Array(),
    labels: LABELS,
    ...(meaning && { meanings: { image: meaning } }),
  }).bytes;
}

/** A picture of 8 × 8 samples whose rows of class `label` are white. */
export function thirdsPicture(label: number): Uint8Array {
  const [from, to] = ROWS[label]!;
  return new Uint8Array(64).fill(255, from * 8, to * 8);
}
