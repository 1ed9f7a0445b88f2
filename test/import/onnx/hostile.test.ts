// ONNX files that lie: cycles, missing values, absurd sizes, and thousands of seeded mutations. Each gives a graph or a
// typed error, quickly and without the memory that it claims.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ToolError } from "../../../tools/errors.ts";
import { validateGraph } from "../../../tools/graph/validate.ts";
import { importOnnxModel } from "../../../tools/import/onnx/model.ts";
import { SCHEMA } from "../../../tools/import/onnx/schema.ts";
import { Random } from "../../support/random.ts";
import { describeShared } from "../../support/shared.ts";
import { sharedData } from "../../support/sharedData.ts";

const protobuf = createRequire(import.meta.url)("protobufjs/light.js") as typeof import("protobufjs");
const Model = protobuf.Root.fromJSON(SCHEMA).lookupType("ModelProto");

const port = (name: string, dims: readonly number[]) => ({
  name,
  type: { tensorType: { elemType: 1, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
});

interface Parts {
  readonly node: readonly object[];
  readonly initializer?: readonly object[];
  readonly dims?: readonly number[];
}

function model({ node, initializer = [], dims = [1, 4] }: Parts): Uint8Array {
  const graph = { node, initializer, input: [port("x", dims)], output: [port("y", dims)] };
  return Model.encode(Model.fromObject({ irVersion: 8, opsetImport: [{ domain: "", version: 17 }], graph })).finish();
}

const relu = (input: string, output: string) => ({
  opType: "Relu",
  name: `relu_${output}`,
  input: [input],
  output: [output],
});

/** The message of the ToolError, which must come within two seconds and fifty megabytes. */
function refusal(bytes: Uint8Array): string {
  const started = performance.now();
  const before = process.memoryUsage().arrayBuffers;
  try {
    validateGraph(importOnnxModel(bytes, "net.onnx"));
  } catch (error) {
    expect(error).toBeInstanceOf(ToolError);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
    return (error as Error).message;
  }
  return "accepted";
}

describe("an ONNX file that lies", () => {
  it("is refused for a cycle", () => {
    expect(refusal(model({ node: [relu("a", "b"), relu("b", "a"), relu("x", "y")] }))).toMatch(
      /cycle through Relu "relu_b"/,
    );
  });

  it("is refused for a value that nothing gives", () => {
    expect(refusal(model({ node: [{ opType: "Add", name: "sum", input: ["x", "w"], output: ["y"] }] }))).toMatch(
      /"sum" reads "w", which is no input/,
    );
  });

  it("is refused for absurd dimensions", () => {
    expect(refusal(model({ node: [relu("x", "y")], dims: [2 ** 40, 2 ** 40] }))).toMatch(
      /a dimension is a whole number of at most/,
    );
    expect(refusal(model({ node: [relu("x", "y")], dims: [65536, 65536] }))).toMatch(/over 268435456 elements/);
    expect(refusal(model({ node: [relu("x", "y")], dims: [-7, 4] }))).toMatch(/bind it with --dim x:0=N/);
  });

  it("is refused for weights of two gigabytes in a hundred bytes", () => {
    const initializer = [{ name: "w", dims: [2 ** 14, 2 ** 14], dataType: 1, rawData: new Uint8Array(8) }];
    const node = [{ opType: "MatMul", name: "product", input: ["x", "w"], output: ["y"] }];
    expect(refusal(model({ node, initializer }))).toMatch(
      /"w" of shape \[16384,16384\] has 8 bytes, expected 1073741824/,
    );
    const claimed = new Uint8Array(model({ node: [relu("x", "y")] }));
    // the graph's length becomes almost 2^31
    expect(refusal(Uint8Array.of(8, 8, 0x3a, 0xff, 0xff, 0xff, 0xff, 0x07, ...claimed))).toMatch(/index out of range/);
  });

  it("is refused for a shape that asks for a terabyte at run time", () => {
    const initializer = [{ name: "s", dims: [3], dataType: 7, int64Data: [2 ** 20, 2 ** 20, 4] }];
    const expand = { opType: "Expand", name: "huge", input: ["x", "s"], output: ["y"] };
    expect(refusal(model({ node: [expand], initializer }))).toMatch(/over 268435456 elements/);
  });

  it("is refused for external data outside its folder", () => {
    const away = (location: string) => [
      { name: "w", dims: [4], dataType: 1, dataLocation: 1, externalData: [{ key: "location", value: location }] },
    ];
    const node = [{ opType: "Add", name: "sum", input: ["x", "w"], output: ["y"] }];
    for (const location of ["/etc/passwd", "../secret", "a/../../b"]) {
      expect(refusal(model({ node, initializer: away(location) })), location).toMatch(
        /must be a file beside the model/,
      );
    }
  });

  it("names every obstacle at once, with the closest thing that can", () => {
    const node = [
      { opType: "NonMaxSuppression", name: "nms", input: ["x"], output: ["a"] },
      { opType: "LeakyRelux", name: "typo", input: ["x"], output: ["b"] },
      { opType: "Add", name: "sum", input: ["a", "b"], output: ["y"] },
    ];
    const message = refusal(model({ node }));
    expect(message).toMatch(/for 2 reasons:/);
    expect(message).toMatch(/NonMaxSuppression \(opset 17\) "nms": is not supported; leave it out/);
    expect(message).toMatch(
      /LeakyRelux \(opset 17\) "typo": is not supported; the closest that can be imported is LeakyRelu/,
    );
  });
});

describeShared("mutations of ONNX files", () => {
  const RUNS = 60;
  const sources = ["onnx-node", "onnx-extra"].flatMap((folder) => {
    const root = join(sharedData ?? "", folder);
    return existsSync(root)
      ? readdirSync(root)
          .map((name) => join(root, name, "model.onnx"))
          .filter(existsSync)
      : [];
  });

  it("give a graph or a ToolError", { timeout: 300_000 }, () => {
    const random = new Random(77);
    const outcomes = { graph: 0, refused: 0 };
    for (const path of sources.filter((_, i) => i % 4 === 0)) {
      const sound = readFileSync(path);
      if (sound.length > 20_000) continue;
      for (let run = 0; run < RUNS; run++) {
        const bytes = Uint8Array.from(sound);
        for (let n = random.integer(1, 4); n > 0; n--)
          bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
        const cut = random.integer(0, 9) === 0 ? bytes.subarray(0, random.integer(0, bytes.length)) : bytes;
        const started = performance.now();
        try {
          validateGraph(importOnnxModel(cut, "mutated.onnx"));
          outcomes.graph++;
        } catch (error) {
          if (!(error instanceof ToolError))
            throw new Error(`${path}, run ${run}: ${error instanceof Error ? error.stack : error}`);
          outcomes.refused++;
        }
        expect(performance.now() - started, `${path}, run ${run}`).toBeLessThan(5000);
      }
    }
    expect(outcomes.graph + outcomes.refused).toBeGreaterThan(3000);
    expect(outcomes.refused).toBeGreaterThan(500);
  });
});
