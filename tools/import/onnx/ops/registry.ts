// Every ONNX operator that can be imported, by name; those of other domains by "domain:name".

import type { Importer } from "../node.ts";
import { ATTENTION } from "./attention.ts";
import { CONV } from "./conv.ts";
import { ELEMENTWISE } from "./elementwise.ts";
import { KNOWN } from "./known.ts";
import { MATMUL } from "./matmul.ts";
import { MOVES } from "./moves.ts";
import { NORM } from "./norm.ts";
import { QUANTIZE } from "./quantize.ts";
import { RECURRENT } from "./recurrent.ts";
import { REDUCE } from "./reduce.ts";
import { RESIZE } from "./resize.ts";

export const IMPORTERS: ReadonlyMap<string, Importer> = new Map(
  [ELEMENTWISE, KNOWN, MOVES, REDUCE, MATMUL, CONV, NORM, QUANTIZE, RECURRENT, ATTENTION, RESIZE].flatMap((family) =>
    Object.entries(family),
  ),
);

/** Opsets that are read. The importers follow 7 and later; what did not change since an earlier one works there too. */
export const OPSETS: readonly [least: number, most: number] = [1, 28];

const ADVICE: Readonly<Record<string, string>> = {
  If: "take the branch that is used when exporting",
  Loop: "unroll it when exporting, or use GRU, LSTM or RNN",
  Scan: "unroll it when exporting, or use GRU, LSTM or RNN",
  NonMaxSuppression: "leave it out and compute it outside, on the model's boxes and scores",
  TopK: "leave it out, or take ArgMax",
  Einsum: "write it as MatMul and Transpose, which can be",
  ScatterND: "write it as Where or Concat, which can be",
};

/** What to do instead of an operator that cannot be imported: known advice, or the nearest name that can. */
export function closest(name: string): string {
  const known = ADVICE[name];
  if (known) return known;
  const [nearest] = [...IMPORTERS.keys()]
    .map((other) => ({ other, far: distance(name.toLowerCase(), other.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  return nearest && nearest.far <= Math.max(2, name.length / 2)
    ? `the closest that can be imported is ${nearest.other}`
    : "leave it out and compute it outside the model";
}

/** Edits from one word to another (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries())
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + Number(letter !== other)));
    row = next;
  }
  return row[b.length]!;
}
