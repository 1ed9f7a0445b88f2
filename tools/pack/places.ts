// Gives every symbolic place its bytes in the arena: which tensors share a buffer (aliases, steps
// that run in place), how long each buffer lives, and where `planArena` put it.
// Invariant: a buffer lives from the step that first writes it to the last that reads it; graph
// inputs from before the first step, graph outputs to after the last; what `load` makes through all of it; states too,
// at the start:
//
//   arena   0                    stateBytes
//           ├ state 0 ┼ state 1 ──┼ buffers, shared by lifetime ┤
//           │ saved, loaded, reset│ undefined between runs

import type { Graph } from "../graph/graph.ts";
import type { Ref } from "../ops/operator.ts";
import { align16 } from "./align.ts";
import { type Arena, type Buffer, planArena } from "./arena.ts";
import { type Lowered, tensorBytes } from "./lower.ts";

export interface Places {
  readonly arena: Arena;
  /** bytes at the arena's start that keep their values between runs: the inputs of `graph.states`, in order */
  readonly stateBytes: number;
  /** offset from the arena's start */
  offsetOf(ref: Exclude<Ref, { kind: "params" }>): number;
  scratchOffset(step: number): number;
}

interface Life {
  first: number;
  last: number;
}

export function assignPlaces(graph: Graph, lowered: Lowered): Places {
  const roots = new Map<number, number>(lowered.aliases);
  const rootOf = (id: number): number => {
    let root = id;
    for (let up = roots.get(root); up !== undefined; up = roots.get(root)) root = up;
    return root;
  };
  const end = lowered.steps.length;
  const lives = new Map<number, Life>();
  const touch = (id: number, step: number): void => {
    const root = rootOf(id);
    const life = lives.get(root);
    if (!life) lives.set(root, { first: step, last: step });
    else {
      life.first = Math.min(life.first, step);
      life.last = Math.max(life.last, step);
    }
  };
  for (const id of graph.inputs) touch(id, -1);
  for (const [i, step] of lowered.steps.entries()) {
    const places = [step.input, step.input2, step.output, ...(step.more ?? []).map(([, place]) => place)];
    for (const ref of places) if (ref?.kind === "tensor") touch(ref.id, i);
  }
  for (const id of graph.outputs) touch(id, end);
  const states = (graph.states ?? []).map(({ input }) => input);
  for (const id of states) for (const step of [-1, end]) touch(id, step);

  for (const [i, step] of lowered.steps.entries()) {
    if (!step.inPlace || step.input?.kind !== "tensor" || step.output.kind !== "tensor") continue;
    const from = rootOf(step.input.id);
    const to = rootOf(step.output.id);
    const before = lives.get(from)!;
    const after = lives.get(to)!;
    const sameBytes = tensorBytes(graph.tensors[from]!) === tensorBytes(graph.tensors[to]!);
    if (from === to || before.last !== i || after.first !== i || !sameBytes) continue;
    if (step.input.byteOffset !== 0 || step.output.byteOffset !== 0) continue;
    roots.set(to, from);
    before.last = after.last;
    lives.delete(to);
  }

  const buffers: Buffer[] = [];
  const tensorBuffer = new Map<number, number>();
  for (const id of [...states, ...[...lives.keys()].filter((id) => !states.includes(id))]) {
    const life = lives.get(id)!;
    const tensor = graph.tensors[id]!;
    tensorBuffer.set(id, buffers.push({ name: tensor.name, bytes: tensorBytes(tensor), ...life }) - 1);
  }
  const temporaryBuffer = lowered.temporaries.map(({ bytes, nodeIndex, resident }, index) => {
    if (resident) {
      const name = `${graph.nodes[nodeIndex]!.name} weights made at load`;
      return buffers.push({ name, bytes, first: -1, last: end }) - 1;
    }
    const users = lowered.steps.flatMap((step, i) => (step.nodeIndex === nodeIndex ? [i] : []));
    const name = `${graph.nodes[nodeIndex]!.name} temporary ${index}`;
    return buffers.push({ name, bytes, first: users[0] ?? 0, last: users.at(-1) ?? 0 }) - 1;
  });
  const scratchBuffer = lowered.steps.map((step, i) =>
    step.scratchBytes
      ? buffers.push({ name: `${step.node.name} scratch`, bytes: step.scratchBytes, first: i, last: i }) - 1
      : -1,
  );
  const arena = planArena(buffers, states.length);
  const kept = arena.buffers.slice(0, states.length);
  return {
    arena,
    stateBytes: kept.reduce((bytes, buffer) => Math.max(bytes, align16(buffer.offset + buffer.bytes)), 0),
    offsetOf(ref) {
      const index = ref.kind === "temporary" ? temporaryBuffer[ref.index]! : tensorBuffer.get(rootOf(ref.id))!;
      return arena.buffers[index]!.offset + ref.byteOffset;
    },
    scratchOffset: (step) => (scratchBuffer[step]! < 0 ? 0 : arena.buffers[scratchBuffer[step]!]!.offset),
  };
}
