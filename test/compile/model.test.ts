// What mote compile promises of keyword spotting: its size beside its weights, and the fewest pages of memory.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Plan, SLACK_BYTES, STEP_WORDS } from "../../assembly/abi.ts";
import { readModel } from "../../host/format/reader.ts";
import { openReactor } from "../../host/targets/wasi.ts";
import { type Compiled, compileModel } from "../../tools/compile/compile.ts";
import { importModel } from "../../tools/import/index.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { modelCases } from "../golden/goldens.ts";
import { describeShared } from "../support/shared.ts";
import { memoryPages } from "../wasi/memorySection.ts";

const KIB = 1024;
/** Binaryen takes its time on a busy machine. */
const COMPILING_MS = 300_000;

describeShared("kws as a module of its own", (data) => {
  const source = "kws_ref_model.tflite";
  const sourceBytes = new Uint8Array(readFileSync(join(data, "models", source)));
  const model = packGraph(importModel(sourceBytes, source), { source, sourceBytes }).bytes;
  const { image, header } = readModel(model);
  const plan = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const word = (index: Plan): number => plan.getInt32(index * 4, true);
  /** what lies behind the steps: weights, biases, multipliers, tables, as the kernels want them */
  const weights = image.length - word(Plan.StepOffset) - word(Plan.StepCount) * STEP_WORDS * 4;

  describe.each(["simd", "scalar"] as const)("%s", (build) => {
    let compiled: Compiled;
    beforeAll(async () => {
      compiled = await compileModel(model, { build });
    }, COMPILING_MS);

    it("is at most 24 KiB larger than its weights", () => {
      expect(weights).toBeLessThan(image.length);
      expect(compiled.bytes.length - weights).toBeLessThanOrEqual(24 * KIB);
    });

    it("lives in one page", () => {
      expect(header.memory.totalBytes + SLACK_BYTES).toBeLessThan(64 * KIB);
      expect(compiled.pages).toBe(1);
      expect(memoryPages(compiled.bytes)).toEqual({ first: 1, most: 1 });
    });

    it("gives XNNPACK's bytes", async () => {
      const reactor = await openReactor(compiled.bytes);
      for (const { inputs, outputs } of modelCases(data, "kws_ref_model")) {
        reactor.inputs[0]!.set(inputs[0]!);
        reactor.run();
        expect(Buffer.compare(reactor.outputs[0]!, outputs[0]!.xnnpack!)).toBe(0);
      }
    });
  });
});
