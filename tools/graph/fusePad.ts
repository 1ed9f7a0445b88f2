// Merges a zero padding of height and width into the convolution that alone reads it, which pads on
// the fly. Invariant: the same bytes; a pooling keeps its pad, as it would leave the cells out.

import type { Graph, Node, Padding } from "./graph.ts";
import { sameQuantization, tensorAt, Uses } from "./uses.ts";

export function fusePad(graph: Graph): Graph {
  const uses = new Uses(graph);
  const gone = new Set<Node>();
  const nodes = graph.nodes.map((node): Node => {
    if (node.op !== "conv2d" && node.op !== "depthwiseConv2d") return node;
    const [x, ...constants] = node.inputs;
    const pad = x === undefined ? undefined : uses.producer(x);
    const source = pad?.inputs[0];
    if (pad?.op !== "pad" || x === undefined || source === undefined || !uses.onlyReader(x, node)) return node;
    const padding = spatial(pad);
    if (padding === undefined || !sameQuantization(tensorAt(graph, source).quant, tensorAt(graph, x).quant))
      return node;
    gone.add(pad);
    const merged = sum(node.attrs.padding, padding);
    const inputs = [source, ...constants];
    // The two arms are alike but for the type of `attrs`.
    if (node.op === "conv2d") return { ...node, inputs, attrs: { ...node.attrs, padding: merged } };
    return { ...node, inputs, attrs: { ...node.attrs, padding: merged } };
  });
  return gone.size === 0 ? graph : { ...graph, nodes: nodes.filter((node) => !gone.has(node)) };
}

/** The padding of height and width; undefined if other axes are padded or the value is not zero. */
function spatial(pad: Node<"pad">): Padding | undefined {
  const { paddings, value } = pad.attrs;
  const [batch, vertical, horizontal, channels] = paddings;
  if (paddings.length !== 4 || value !== 0 || !batch || !vertical || !horizontal || !channels) return undefined;
  if ([...batch, ...channels].some((cells) => cells !== 0)) return undefined;
  return { top: vertical[0], bottom: vertical[1], left: horizontal[0], right: horizontal[1] };
}

function sum(a: Padding, b: Padding): Padding {
  return { top: a.top + b.top, bottom: a.bottom + b.bottom, left: a.left + b.left, right: a.right + b.right };
}
