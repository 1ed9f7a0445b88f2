// A core of only some models' kernels: the same bytes as the whole core, the same judgement of every plan that is made
// of its kinds of steps, and a refusal of every other; whatever was done to the plan.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { Plan, SLACK_BYTES, STEP_WORDS, Status, Step } from "../../assembly/abi.ts";
import { type CoreExports, startCore } from "../../host/core.ts";
import { readModel } from "../../host/format/reader.ts";
import { loadModel } from "../../host/index.ts";
import { coreFor } from "../../tools/compile/core.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { coreModule } from "../support/core.ts";
import { Random } from "../support/random.ts";
import { delayGraph } from "../support/streamModel.ts";
import { tinyModel } from "../support/tinyModel.ts";

const digits = new Uint8Array(readFileSync(new URL("../../models/digits/digits.mote", import.meta.url)));
const stream = packGraph(delayGraph(), { source: "none", sourceBytes: new Uint8Array() }).bytes;

describe("mote core", () => {
  let bytes: Uint8Array;
  beforeAll(async () => {
    bytes = await coreFor([digits, stream], { loops: "dot" });
  });

  it("is a fraction of the whole, the same for the same models, and imports nothing", async () => {
    expect(bytes.length).toBeLessThan(32 * 1024);
    expect(await coreFor([stream, digits], { loops: "dot" })).toEqual(bytes);
    expect(WebAssembly.Module.imports(new WebAssembly.Module(bytes as BufferSource))).toEqual([]);
  });

  it("runs its models, and refuses others by the step that it lacks", async () => {
    const core = { simd: bytes as BufferSource };
    for (const model of [digits, stream])
      expect((await (await loadModel(model, { core })).createSession()).selfTest()).toBe(true);
    await expect((await loadModel(tinyModel(), { core })).createSession()).rejects.toMatchObject({
      code: "BAD_MODEL",
      message: expect.stringContaining("the operator is unknown"),
    });
  });

  it("judges 1,500 damaged plans as the whole core does, and leaves the same memory", async () => {
    const { image, header } = readModel(digits);
    const view = new DataView(image.buffer, image.byteOffset, image.length);
    const [count, start] = [view.getUint32(Plan.StepCount * 4, true), view.getUint32(Plan.StepOffset * 4, true)];
    const kinds = new Set<string>();
    for (const model of [digits, stream]) {
      const { image: each } = readModel(model);
      const words = new DataView(each.buffer, each.byteOffset, each.length);
      const from = words.getUint32(Plan.StepOffset * 4, true);
      for (let i = 0; i < words.getUint32(Plan.StepCount * 4, true); i++)
        kinds.add(
          [Step.Op, Step.Kernel].map((word) => words.getInt32(from + (i * STEP_WORDS + word) * 4, true)).join(),
        );
    }
    const cores = [await startCore(coreModule("simd")), await startCore(new WebAssembly.Module(bytes as BufferSource))];
    const place = (core: CoreExports): number => Math.ceil(core.heapBase() / 64) * 64;
    for (const core of cores)
      core.memory.grow(Math.ceil((place(core) + header.memory.totalBytes + SLACK_BYTES) / 65536));
    const random = new Random(5);
    let [accepted, unknown] = [0, 0];
    for (let seed = 0; seed < 1500; seed++) {
      const damaged = image.slice();
      const edits = new DataView(damaged.buffer);
      const step = random.integer(0, count - 1);
      const at = start + (step * STEP_WORDS + random.integer(0, STEP_WORDS - 1)) * 4;
      edits.setInt32(at, random.integer(0, 2) ? edits.getInt32(at, true) + random.integer(-2, 2) : random.word(), true);
      const results = cores.map((core) => {
        const base = place(core);
        const memory = new Uint8Array(core.memory.buffer, base);
        memory.fill(0).set(damaged);
        const status = core.load(base, memory.length);
        return {
          status,
          step: core.failedStep(),
          bytes: Buffer.from(memory.slice(0, header.memory.totalBytes)).toString("latin1"),
        };
      });
      const [whole, small] = results as [(typeof results)[0], (typeof results)[0]];
      const kind = [Step.Op, Step.Kernel].map((word) => edits.getInt32(start + (step * STEP_WORDS + word) * 4, true));
      if (!kinds.has(kind.join())) {
        unknown++;
        expect([small.status === Status.Ok, whole.status === Status.Header && small.status !== Status.Header]).toEqual([
          false,
          false,
        ]);
        continue;
      }
      expect({ seed, ...small }).toEqual({ seed, ...whole });
      if (whole.status === Status.Ok) accepted++;
    }
    expect(accepted).toBeGreaterThan(50);
    expect(unknown).toBeGreaterThan(20);
  });
});
