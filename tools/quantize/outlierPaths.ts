// Before a float graph is quantized: a GELU between two products gives a few channels of values many times as large as the
// others (a transformer's first token), and one grid would serve only those. They get a path of their own:
//
//   W1 ─► GELU ─► W2   becomes   W1[others] ─► GELU ─► W2[others] ─┐
//                                W1[few]    ─► GELU ─► W2[few] ────┴─ + ─►
//
// After Dettmers et al., "LLM.int8()", 2022, which leaves such channels in float.
// Invariant: the same real function up to float32's rounding; without such channels the graph is given back as it is.

import { elementCount, type Graph, type Node } from "../graph/graph.ts";
import { Rewrite } from "../graph/rewrite.ts";
import { type Dense, isDenseLayer } from "./balance.ts";
import type { Ranges } from "./calibrate.ts";

/** Channels of a path of outliers: as many as a kernel writes at a time. */
const PATH = 8;
/** A path of its own pays where it narrows the range of the others so much. */
const NARROWER = 1.5;

export function splitOutliers(graph: Graph, ranges: Ranges, keepFloat: (name: string) => boolean): Graph {
  const rewrite = new Rewrite(graph);
  let isChanged = false;
  for (const node of rewrite.nodes) {
    if (node.op !== "map" || (node.attrs.fn !== "gelu" && node.attrs.fn !== "geluTanh")) continue;
    const [before, after] = [rewrite.producer(node.inputs[0]), rewrite.only(node.outputs[0]!)];
    const most = ranges.get(node.outputs[0]!)?.channels;
    if (!isDenseLayer(rewrite, before) || !isDenseLayer(rewrite, after) || !most) continue;
    if (rewrite.only(before.outputs[0]!) !== node || [before, node, after].some(({ name }) => keepFloat(name)))
      continue;
    const channels = sticking(most);
    if (!channels) continue;
    splitPath(rewrite, before, node, after, channels);
    isChanged = true;
  }
  return isChanged ? rewrite.done() : graph;
}

/** The PATH channels of the largest values, where the others are much smaller than those. */
function sticking(most: Float32Array): number[] | undefined {
  if (most.length <= 4 * PATH || !most.every(Number.isFinite)) return undefined;
  const order = Array.from(most.keys()).sort((a, b) => most[b]! - most[a]! || a - b);
  return most[order[0]!]! > NARROWER * most[order[PATH]!]! ? order.slice(0, PATH).sort((a, b) => a - b) : undefined;
}

/** before → gelu → after as two paths whose results are added; `channels` go into the second. */
function splitPath(
  rewrite: Rewrite,
  before: Dense,
  gelu: Node<"map">,
  after: Dense,
  channels: readonly number[],
): void {
  const middle = rewrite.at(gelu.outputs[0]!);
  const all = middle.shape.at(-1)!;
  const few = new Set(channels);
  const rest = Array.from({ length: all }, (_, c) => c).filter((c) => !few.has(c));
  const y = after.outputs[0]!;
  const paths = [rest, channels].map((kept, path) => {
    const named = (name: string): string => `${name}/path${path}`;
    const shape = [...middle.shape.slice(0, -1), kept.length];
    const columns = (id: number): number => {
      const tensor = rewrite.at(id);
      const rows = elementCount(tensor.shape.slice(0, -1));
      const data = new Float32Array(rows * kept.length);
      for (let r = 0; r < rows; r++)
        for (const [i, c] of kept.entries()) data[r * kept.length + i] = Number(tensor.data![r * all + c]);
      return rewrite.tensor({
        ...tensor,
        name: named(tensor.name),
        shape: [...tensor.shape.slice(0, -1), kept.length],
        data,
      });
    };
    const down = rewrite.at(after.inputs[1]!);
    const width = down.shape[1]!;
    const rows = new Float32Array(kept.length * width);
    for (const [i, c] of kept.entries())
      rows.set((down.data as Float32Array).subarray(c * width, (c + 1) * width), i * width);
    const [f, g, o] = [before.outputs[0]!, gelu.outputs[0]!, y].map((id, i) =>
      rewrite.tensor({
        ...rewrite.at(id),
        name: named(rewrite.at(id).name),
        shape: i < 2 ? shape : rewrite.at(id).shape,
      }),
    ) as [number, number, number];
    const up = [before.inputs[0]!, ...before.inputs.slice(1).map((id) => (id < 0 ? id : columns(id)))];
    const bias = path === 0 ? after.inputs.slice(2) : [];
    const lower = rewrite.tensor({ ...down, name: named(down.name), shape: [kept.length, width], data: rows });
    rewrite.add({ ...before, name: named(before.name), inputs: up, outputs: [f] });
    rewrite.add({ ...gelu, name: named(gelu.name), inputs: [f], outputs: [g] });
    rewrite.add({ ...after, name: named(after.name), inputs: [g, lower, ...bias], outputs: [o] });
    return o;
  });
  for (const node of [before, gelu, after]) rewrite.remove(node);
  rewrite.add({ op: "zip", name: `${after.name}/paths`, inputs: paths, outputs: [y], attrs: { fn: "add" } });
}
