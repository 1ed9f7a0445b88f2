// The suite on the engines that install quickly: every vector gives the same bytes on every build of each, and the
// vectors hold every operator. `npm run conformance` runs it on all that is installed, with times.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { Op, Plan, STEP_WORDS, Step } from "../../assembly/abi.ts";
import { readModel } from "../../host/format/reader.ts";
import { read } from "../support/sources.ts";
import { SCRIPT_ENGINES } from "./scriptEngines.ts";
import { gatherVectors, type VectorSet } from "./vectors.ts";
import { WASI_ENGINES } from "./wasiEngines.ts";

const QUICK = [...SCRIPT_ENGINES, ...WASI_ENGINES].filter(({ quick }) => quick);
const RECORDING_MS = 600_000;
/** an interpreter takes its time, and a browser to start */
const ENGINE_MS = 600_000;

let set: VectorSet;
beforeAll(async () => {
  set = await gatherVectors({ timed: false });
}, RECORDING_MS);

/** Codes of the operators of the plan in a model file. */
function operatorsOf(path: string): number[] {
  const { image } = readModel(new Uint8Array(readFileSync(path)));
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const word = (index: number): number => view.getInt32(index * 4, true);
  const first = word(Plan.StepOffset) / 4;
  return Array.from({ length: word(Plan.StepCount) }, (_, i) => word(first + i * STEP_WORDS + Step.Op));
}

describe("the vectors", () => {
  it("hold every operator that the core runs", () => {
    const runs = [...read("assembly/execute.ts").matchAll(/case Op\.(\w+):/g)].map(([, name]) => name!);
    const codes: Readonly<Record<string, number>> = Object.fromEntries(
      [
        ...read("assembly/abi.ts")
          .split("enum Op {")[1]!
          .split("}")[0]!
          .matchAll(/(\w+) = (\d+)/g),
      ].map(([, name, code]) => [name!, Number(code)]),
    );
    expect(codes.Conv2d).toBe(Op.Conv2d);
    const held = new Set(set.names.flatMap((name) => operatorsOf(`${set.folder}/${name}.mote`)));
    expect(runs.filter((name) => !held.has(codes[name]!))).toEqual([]);
  });
});

for (const engine of QUICK) {
  describe(engine.name, () => {
    it.for(engine.builds)("gives the same bytes on the %s build", { timeout: ENGINE_MS }, async (build, { skip }) => {
      const reason = engine.absent();
      if (reason !== undefined) return skip(reason);
      const { outcomes } = await engine.run(build, set);
      expect(outcomes.filter(({ equal }) => !equal)).toEqual([]);
      expect(outcomes).toHaveLength(set.names.length);
    });
  });
}
