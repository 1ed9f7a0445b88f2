// The int16 layers of SEANet, one operator a model, with the goldens that tflite-micro publishes: every
// build gives exactly those bytes. int16 add, sub and leaky relu are refused; the transposed
// convolutions take their output's shape at run time, which the importer refuses.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type DType, zeros } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { importModel } from "../../tools/import/index.ts";
import { expectConformance, expectSameBytes } from "../support/conformance.ts";
import { describeShared } from "../support/shared.ts";

interface Port {
  readonly file: string;
  readonly dtype: DType;
}

const SUPPORTED = ["CONV_2D", "PAD", "QUANTIZE", "STRIDED_SLICE"];

function typed(dtype: DType, bytes: Uint8Array) {
  const data = zeros(dtype, bytes.length / zeros(dtype, 1).BYTES_PER_ELEMENT);
  new Uint8Array(data.buffer).set(bytes);
  return data;
}

describeShared("SEANet's int16 layers", (data) => {
  const root = join(data, "seanet-int16");
  for (const name of readdirSync(root).sort()) {
    const read = (file: string) => new Uint8Array(readFileSync(join(root, name, file)));
    const golden = JSON.parse(readFileSync(join(root, name, "case.json"), "utf8")) as {
      readonly ops: Readonly<Record<string, number>>;
      readonly inputs: readonly Port[];
      readonly outputs: readonly Port[];
    };
    if (Object.keys(golden.ops).every((op) => SUPPORTED.includes(op))) {
      it(`${name} gives the published bytes`, () => {
        const graph = importModel(read("model.tflite"), name);
        const outputs = expectConformance(
          graph,
          golden.inputs.map(({ file, dtype }) => typed(dtype, read(file))),
        );
        for (const [i, { file }] of golden.outputs.entries()) {
          expectSameBytes(new Uint8Array(outputs[i]!.buffer), read(file), `output ${i}`);
        }
      });
    } else {
      it(`${name} is refused, not computed wrongly`, () => {
        expect(() => validateGraph(importModel(read("model.tflite"), name))).toThrow(
          /is int16 but the operator takes int8|computed at run time/,
        );
      });
    }
  }
});
