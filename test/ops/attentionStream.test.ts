// Causal attention one token a run: keys and values in rings that are the stream's state, and a count of the tokens that
// are there. Invariant: token t's bytes are those of row t of the whole sequence at once, on every build, also when the state
// moves to another build before it.

import { expect, it } from "vitest";
import { loadModel } from "../../host/index.ts";
import { evaluate, StreamReference } from "../../tools/evaluate/reference.ts";
import type { Graph, Node, Tensor } from "../../tools/graph/graph.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { BUILDS, CORE } from "../support/core.ts";
import { activation, constant, quant } from "../support/graphs.ts";
import { Random } from "../support/random.ts";

const [TOKENS, HEADS, KEY_HEADS, WIDTH] = [24, 4, 2, 8];
const SHARED = KEY_HEADS * WIDTH;
const attrs = { heads: HEADS, keyHeads: KEY_HEADS, scale: 1 / Math.sqrt(WIDTH) };

const row = (name: string, rows: number, columns: number): Tensor => activation(name, [1, rows, columns], 1 / 24, -3);

function whole(): Graph {
  return {
    name: "whole",
    tensors: [
      row("q", TOKENS, HEADS * WIDTH),
      row("k", TOKENS, SHARED),
      row("v", TOKENS, SHARED),
      row("y", TOKENS, HEADS * WIDTH),
    ],
    nodes: [
      {
        op: "attention",
        name: "y",
        inputs: [0, 1, 2],
        outputs: [3],
        attrs: { ...attrs, causal: true, counted: "first" },
      },
    ],
    inputs: [0, 1, 2],
    outputs: [3],
  };
}

function stepwise(): Graph {
  const count = (name: string): Tensor => activation(name, [1], 1, -128);
  const nodes: Node[] = [
    { op: "add", name: "count", inputs: [9, 10], outputs: [11], attrs: { activation: "none" } },
    {
      op: "attention",
      name: "y",
      inputs: [0, 5, 8, 11],
      outputs: [12],
      attrs: { ...attrs, causal: false, counted: "last" },
    },
  ];
  for (const [one, held, all] of [
    [1, 3, 5],
    [2, 6, 8],
  ] as const) {
    nodes.unshift(
      {
        op: "concat",
        name: `ring ${one}`,
        inputs: [held, one],
        outputs: [all],
        attrs: { axis: 1, activation: "none" },
      },
      {
        op: "stridedSlice",
        name: `shift ${one}`,
        inputs: [all],
        outputs: [all - 1],
        attrs: { begin: [0, 1, 0], strides: [1, 1, 1], sizes: [1, TOKENS - 1, SHARED], squeeze: [] },
      },
    );
  }
  return {
    name: "stepwise",
    tensors: [
      row("q", 1, HEADS * WIDTH),
      row("k", 1, SHARED),
      row("v", 1, SHARED),
      row("k held", TOKENS - 1, SHARED),
      row("k next", TOKENS - 1, SHARED),
      row("k all", TOKENS, SHARED),
      row("v held", TOKENS - 1, SHARED),
      row("v next", TOKENS - 1, SHARED),
      row("v all", TOKENS, SHARED),
      count("count"),
      constant("one", [1], "int8", Int8Array.of(-127), quant(1, -128)),
      count("count next"),
      row("y", 1, HEADS * WIDTH),
    ],
    nodes,
    inputs: [0, 1, 2],
    outputs: [12],
    states: [
      { input: 3, output: 4 },
      { input: 6, output: 7 },
      { input: 9, output: 11 },
    ],
  };
}

it("gives token by token what the whole sequence gives, over rings of keys and values that travel", async () => {
  const random = new Random(5);
  const given = [HEADS * WIDTH, SHARED, SHARED].map((width) => random.int8(TOKENS * width));
  const [want] = evaluate(whole(), given);
  const model = await loadModel(packGraph(stepwise(), { source: "test", sourceBytes: new Uint8Array() }).bytes, {
    core: CORE,
  });
  const sessions = await Promise.all(BUILDS.map((build) => model.createSession({ build })));
  const reference = new StreamReference(stepwise());
  for (let t = 0; t < TOKENS; t++) {
    const token = given.map((data) => data.slice((t * data.length) / TOKENS, ((t + 1) * data.length) / TOKENS));
    const wanted = [...want!.slice(t * HEADS * WIDTH, (t + 1) * HEADS * WIDTH)];
    expect([...reference.run(token)[0]!], `reference, token ${t}`).toEqual(wanted);
    const [from, to] = [sessions[t % sessions.length]!, sessions[(t + 1) % sessions.length]!];
    to.state.load(from.state.save());
    const [q, k, v] = token;
    expect([...Object.values(to.run({ q: q!, k: k!, v: v! }))[0]!], `token ${t}`).toEqual(wanted);
  }
});
