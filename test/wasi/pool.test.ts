// The smallest pool in which WAMR runs kws, as docs/wasi.md states it: there it runs with the right bytes, in less it
// says that it cannot. Invariant: the pool is all of the engine's own memory; the module's one page lies outside.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { compileModel } from "../../tools/compile/compile.ts";
import { importModel } from "../../tools/import/index.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { ENGINES } from "../engines/find.ts";
import { modelCases } from "../golden/goldens.ts";
import { describeShared } from "../support/shared.ts";
import { runLine } from "./runner.ts";

const program = join(ENGINES, "wamr/build/embed");
/** KiB, docs/wasi.md. */
const SCALAR = 88;
const SIMD = 128;

describeShared("kws on WAMR", (data) => {
  // a slow engine, which is not for every run of the tests
  if (!existsSync(program)) return it("needs no engine that is absent", () => {});
  it.each([
    ["scalar", SCALAR],
    ["simd", SIMD],
  ] as const)("runs in the stated pool and not in 16 KiB less, %s", async (build, kib) => {
    const folder = mkdtempSync(join(tmpdir(), "mote-pool-"));
    const at = (name: string): string => join(folder, name);
    try {
      const source = "kws_ref_model.tflite";
      const sourceBytes = new Uint8Array(readFileSync(join(data, "models", source)));
      const model = packGraph(importModel(sourceBytes, source), { source, sourceBytes }).bytes;
      const [golden] = modelCases(data, "kws_ref_model");
      writeFileSync(at("kws.wasm"), (await compileModel(model, { build })).bytes);
      writeFileSync(at("in.bin"), golden!.inputs[0]!);
      const run = (pool: number) =>
        runLine([program, "--pool", String(pool), at("kws.wasm"), "-", at("in.bin"), at("out.bin")], folder);
      expect(run(kib)).toMatchObject({ status: 0, stderr: "" });
      expect(Buffer.compare(readFileSync(at("out.bin")), golden!.outputs[0]!.xnnpack!)).toBe(0);
      const less = run(kib - 16);
      expect(less.status).toBe(1);
      expect(less.stderr).not.toBe("");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
