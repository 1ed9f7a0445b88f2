// Float .tflite models against TensorFlow Lite's outputs: every case of six nets, run by the core. The tolerance is that of
// float32 sums in another order, through up to thirty layers: 1e-5 of the largest output.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CoreRun } from "../../tools/evaluate/coreRun.ts";
import { importModel } from "../../tools/import/index.ts";
import { describeShared } from "../support/shared.ts";

interface Case {
  readonly steps?: number;
  readonly outputs: readonly { readonly files: Readonly<Record<string, string>> }[];
}

function floats(path: string): Float32Array {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

describeShared("float .tflite models", (data) => {
  test.each(["ad01_fp32", "pretrainedResnet", "vww_96_float", "hello_world_float", "trained_lstm"])("%s", (name) => {
    const graph = importModel(readFileSync(join(data, "models", `${name}.tflite`)), `${name}.tflite`);
    const run = new CoreRun(graph);
    const folders = readdirSync(join(data, "cases", name)).map((one) => join(data, "cases", name, one));
    expect(folders.length).toBeGreaterThan(5);
    for (const folder of folders) {
      const { steps = 1, outputs } = JSON.parse(readFileSync(join(folder, "case.json"), "utf8")) as Case;
      const [input, wanted] = [floats(join(folder, "in0.bin")), floats(join(folder, outputs[0]!.files.ref!))];
      for (let step = 0; step < steps; step++) {
        const part = (all: Float32Array) =>
          all.subarray((step * all.length) / steps, ((step + 1) * all.length) / steps);
        near(run.run([part(input)])[0] as Float32Array, part(wanted));
      }
    }
  });

  test("int4 weights that are widened to float32", () => {
    const folder = join(data, "int4-tflite/resnet8_wi4_weightonly");
    const graph = importModel(readFileSync(join(folder, "model.tflite")), "resnet8.tflite");
    const run = new CoreRun(graph);
    const names = readdirSync(folder).filter((file) => file.endsWith(".in0.bin"));
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) {
      const golden = join(folder, name.replace("in0.bin", "out0.ref.bin"));
      if (existsSync(golden)) near(run.run([floats(join(folder, name))])[0] as Float32Array, floats(golden));
    }
  });
});

function near(got: Float32Array, wanted: Float32Array): void {
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(got).toHaveLength(wanted.length);
  const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0);
  expect(worst).toBeLessThanOrEqual(1e-5 * largest);
}
