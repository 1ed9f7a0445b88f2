// The passes that every imported graph goes through, in order.
// Invariant: each is a pure function, keeps the bytes of every output, and leaves inputs, outputs and
// their names, shapes and interface dtypes as they were.

import { cancelMoves } from "./cancel.ts";
import { canonicalise } from "./canonicalise.ts";
import { removeDeadCode } from "./deadCode.ts";
import { floatEdges } from "./floatEdges.ts";
import { fuseClamp } from "./fuseClamp.ts";
import { fusePad } from "./fusePad.ts";
import type { Graph } from "./graph.ts";

const PASSES: readonly ((graph: Graph) => Graph)[] = [
  // First the dead code: what nothing reads must not count as a reader.
  removeDeadCode,
  floatEdges,
  canonicalise,
  cancelMoves,
  fusePad,
  fuseClamp,
  removeDeadCode,
];

export function runPasses(graph: Graph): Graph {
  return PASSES.reduce((current, pass) => pass(current), graph);
}
