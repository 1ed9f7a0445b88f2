// Steps whose words a hostile file has changed: the core refuses them, or runs them inside the model's memory.
// The model is put at the very end of the core's memory, so that a read or write past it traps.

import { describe, expect, it } from "vitest";
import { Plan, SLACK_BYTES, STEP_WORDS, Status, Step } from "../../assembly/abi.ts";
import type { Graph, Node, Tensor } from "../../tools/graph/graph.ts";
import { buildImage } from "../../tools/pack/image.ts";
import { BUILDS, type BuildName, freshCore } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { Random } from "../support/random.ts";

const PAGE = 65536;
/** Changed steps of each operator on each build. */
const RUNS = 3000;

const padding = { top: 1, bottom: 0, left: 0, right: 1 };
const pool = { kernelH: 2, kernelW: 2, strideH: 1, strideW: 1, padding, activation: "none" } as const;

function one(
  node: Pick<Node, "op" | "attrs">,
  shapes: readonly (readonly number[])[],
  shape: readonly number[],
): Graph {
  const inputs = shapes.map((dims, i): Tensor => activation(`x${i}`, dims, 1 / 16, 3));
  return singleNode(node, inputs, [activation("y", shape, 1 / 16, 3)]);
}

const none = { activation: "none" } as const;
const graphs: readonly Graph[] = [
  one({ op: "add", attrs: none }, [[2, 3, 17], [17]], [2, 3, 17]),
  one({ op: "mul", attrs: none }, [[2, 3, 17], [1]], [2, 3, 17]),
  one({ op: "squaredDifference", attrs: none }, [[5, 7], [7]], [5, 7]),
  one({ op: "averagePool2d", attrs: pool }, [[1, 4, 5, 18]], [1, 4, 5, 18]),
  one({ op: "maxPool2d", attrs: pool }, [[1, 4, 5, 18]], [1, 4, 5, 18]),
  one({ op: "mean", attrs: { axes: [1], keepDims: false } }, [[3, 5, 19]], [3, 19]),
  one({ op: "tanh", attrs: {} }, [[77]], [77]),
  one({ op: "softmax", attrs: { beta: 1 } }, [[4, 11]], [4, 11]),
];

const VALUES = [0, 1, -1, 2, 15, 16, 127, 128, 255, 4096, 65535, 65536, 2 ** 24, 2 ** 30, 2 ** 31 - 1, -(2 ** 31)];

/** Changes one to three words of the step, to a value of the list, a near one or any. */
function change(view: DataView, step: number, random: Random): void {
  for (let n = random.integer(1, 3); n > 0; n--) {
    const at = step + 4 * random.integer(1, STEP_WORDS - 1);
    const kind = random.integer(0, 2);
    const near = view.getInt32(at, true) + random.integer(-3, 3);
    view.setInt32(
      at,
      kind === 0 ? VALUES[random.integer(0, VALUES.length - 1)]! : kind === 1 ? near : random.word(),
      true,
    );
  }
}

function survive(build: BuildName, graph: Graph, seed: number): { accepted: number; refused: number } {
  const { bytes, totalBytes } = buildImage(graph);
  const core = freshCore(build);
  const memory = new Uint8Array(core.memory.buffer);
  const available = totalBytes + SLACK_BYTES;
  const base = PAGE - available;
  const step = new DataView(bytes.buffer).getUint32(Plan.StepOffset * 4, true);
  const random = new Random(seed);
  const counts = { accepted: 0, refused: 0 };
  for (let run = 0; run < RUNS; run++) {
    const image = bytes.slice();
    const view = new DataView(image.buffer);
    change(view, step, random);
    memory.fill(random.word(), base);
    memory.set(image, base);
    const before = memory.slice();
    if (core.load(base, available) !== Status.Ok) {
      counts.refused++;
      continue;
    }
    counts.accepted++;
    expect(core.run()).toBe(Status.Ok);
    const arena = base + image.length;
    const words = (): string =>
      Array.from({ length: STEP_WORDS }, (_, i) => view.getInt32(step + 4 * i, true)).join(" ");
    // The core's own sums lie below the model.
    if (Buffer.compare(memory.subarray(base, arena), before.subarray(base, arena))) expect.fail(`image: ${words()}`);
    const slack = base + totalBytes;
    if (Buffer.compare(memory.subarray(slack), before.subarray(slack))) expect.fail(`past the end: ${words()}`);
  }
  return counts;
}

describe.each(BUILDS)("hostile steps on the %s build", (build) => {
  it.each(graphs)("$name", (graph) => {
    const { accepted, refused } = survive(build, graph, 17);
    expect(accepted).toBeGreaterThan(RUNS / 20);
    expect(refused).toBeGreaterThan(RUNS / 20);
    expect(graph.nodes).toHaveLength(1);
  });

  it("refuses an operator or a kernel that it does not have", () => {
    const { bytes, totalBytes } = buildImage(graphs[0]!);
    for (const [word, status] of [
      [Step.Op, Status.Operator],
      [Step.Kernel, Status.Kernel],
    ] as const) {
      const image = bytes.slice();
      const step = new DataView(image.buffer).getUint32(Plan.StepOffset * 4, true);
      new DataView(image.buffer).setInt32(step + 4 * word, 99, true);
      const core = freshCore(build);
      new Uint8Array(core.memory.buffer).set(image, 4096);
      expect(core.load(4096, totalBytes + SLACK_BYTES)).toBe(status);
    }
  });
});
