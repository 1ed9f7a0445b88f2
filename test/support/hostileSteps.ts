// Plans with wrong numbers in their steps: each is refused at load, or runs and touches nothing but the
// arena and the core's own few bytes below its heap. The model lies at the very end of the memory, so
// that a read past the slack traps.
// Invariant: the same seed gives the same plans.

import { expect } from "vitest";
import { Plan, SLACK_BYTES, STEP_WORDS, Status, Step } from "../../assembly/abi.ts";
import type { Graph } from "../../tools/graph/graph.ts";
import { buildImage } from "../../tools/pack/image.ts";
import { type BuildName, freshCore } from "./conformance.ts";
import { Random } from "./random.ts";

const PAGE = 65536;

/** What a hostile field may hold: limits of the checks and of the arithmetic, or close to what was there. */
function hostileValue(random: Random, was: number, total: number): number {
  const values = [0, 1, -1, 2, 3, 7, 255, 65536, 2 ** 20, 2 ** 28, 2 ** 30, 2 ** 31 - 1, -(2 ** 31), total, total - 1];
  const near = [was + 1, was - 1, was * 2, -was, was + 16, was >> 1];
  const all = [...values, ...near, random.integer(-200, 200), random.word() | 0];
  return all[random.integer(0, all.length - 1)]!;
}

/** A copy of the image with one to three words of one step changed, now and then a word of the params too. */
function spoiled(image: Uint8Array, random: Random): Uint8Array {
  const bytes = image.slice();
  const view = new DataView(bytes.buffer);
  const total = view.getInt32(Plan.TotalBytes * 4, true);
  const steps = view.getInt32(Plan.StepOffset * 4, true);
  const step = steps + random.integer(0, view.getInt32(Plan.StepCount * 4, true) - 1) * STEP_WORDS * 4;
  for (let i = random.integer(1, 3); i > 0; i--) {
    const at = step + random.integer(Step.Kernel, STEP_WORDS - 1) * 4;
    view.setInt32(at, hostileValue(random, view.getInt32(at, true), total), true);
  }
  if (random.integer(0, 3) === 0) {
    const first = steps + view.getInt32(Plan.StepCount * 4, true) * STEP_WORDS * 4;
    const at = first + 4 * random.integer(0, Math.max(0, (bytes.length - first) / 4 - 1));
    if (at + 4 <= bytes.length) view.setInt32(at, hostileValue(random, view.getInt32(at, true), total), true);
  }
  return bytes;
}

/** Runs `count` spoiled plans of `graph` on a build. Returns how many were accepted. */
export function expectContained(build: BuildName, graph: Graph, count: number, seed: number): number {
  const { bytes: image, totalBytes } = buildImage(graph);
  const core = freshCore(build);
  const available = totalBytes + SLACK_BYTES;
  const pages = Math.ceil((core.heapBase() + available) / PAGE);
  if (pages * PAGE > core.memory.buffer.byteLength) core.memory.grow(pages - core.memory.buffer.byteLength / PAGE);
  const memory = Buffer.from(core.memory.buffer);
  const base = memory.length - available;
  const random = new Random(seed);
  let accepted = 0;
  for (let i = 0; i < count; i++) {
    const bytes = spoiled(image, random);
    memory.set(bytes, base);
    memory.fill(0xa5, base + image.length);
    if (core.load(base, available) !== Status.Ok) continue;
    accepted++;
    const below = Buffer.from(memory.subarray(core.heapBase(), base));
    expect(core.run(), `${build}: plan ${i} of seed ${seed}`).toBe(Status.Ok);
    const outside = [
      memory.subarray(core.heapBase(), base).equals(below),
      memory.subarray(base, base + image.length).equals(bytes),
      memory.subarray(base + totalBytes).every((byte) => byte === 0xa5),
    ];
    expect(outside, `${build}: plan ${i} of seed ${seed}: below, image, past the end`).toEqual([true, true, true]);
  }
  return accepted;
}
