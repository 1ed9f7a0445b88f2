// Room in the arena that a step can do without: weights widened to int16 anew in each run, so that the inner loop of the
// simd build only loads them (assembly/ops/conv2d.ts). Where it lies, other steps have their tensors.
// Invariant: room is given only as long as the model's memory grows by less than a hundredth.

import type { Graph } from "../graph/graph.ts";
import { align16 } from "./align.ts";
import type { Products } from "./blocks.ts";
import type { Lowered } from "./lower.ts";
import { assignPlaces, type Places } from "./places.ts";

/** Output pixels from which on widening is repaid. */
const LEAST_PIXELS = 96;
/** Of the memory, for all room together. */
const MOST_GROWTH = 1 / 128;

/** Scratch of a convolution with room for its widened weights, which needs `bytes` without; 0 where they do not pay. */
export function wideRoom({ outputs, segments, cells }: Products, bytes: number, pixels: number): number {
  if (pixels < LEAST_PIXELS) return 0;
  return align16(bytes) + Math.ceil(outputs / 8) * (64 + segments * Math.ceil(cells / 2) * 32);
}

/** Steps and places with room for as many as may have it; `totalBytes` and `places` are those without. */
export function withRoom(
  graph: Graph,
  lowered: Lowered,
  places: Places,
  totalBytes: number,
  maxBytes: number,
): { lowered: Lowered; places: Places } {
  const most = places.arena.bytes + Math.min(maxBytes - totalBytes, totalBytes * MOST_GROWTH);
  const wish = lowered.steps.map(({ scratchBytes = 0, roomBytes = 0 }) => Math.max(0, roomBytes - scratchBytes));
  const live = lowered.steps.map((_, i) =>
    places.arena.buffers.reduce((sum, { first, last, bytes }) => sum + (first <= i && i <= last ? bytes : 0), 0),
  );
  for (const [i, bytes] of wish.entries()) if (live[i]! + bytes > most) wish[i] = 0;
  while (wish.some((bytes) => bytes > 0)) {
    const steps = lowered.steps.map((step, i) => ({ ...step, scratchBytes: (step.scratchBytes ?? 0) + wish[i]! }));
    const roomy = { ...lowered, steps };
    const roomyPlaces = assignPlaces(graph, roomy);
    if (roomyPlaces.arena.bytes <= most) return { lowered: roomy, places: roomyPlaces };
    // the step that fills the arena most
    const fullness = wish.map((bytes, i) => (bytes > 0 ? bytes + live[i]! : 0));
    wish[fullness.indexOf(Math.max(...fullness))] = 0;
  }
  return { lowered, places };
}
