// Our own model, needing nothing beside the project: its packed file is what the packer makes of its
// .tflite today, and it gives XNNPACK's bytes on every build.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadModel } from "../../host/targets/node.ts";
import { importModel } from "../../tools/import/index.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { expectSameBytes } from "../support/conformance.ts";
import { BUILDS } from "../support/core.ts";

const FOLDER = new URL("../../models/digits/", import.meta.url);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, FOLDER)));
const INPUT_BYTES = 28 * 28;
const CLASSES = 10;

describe("models/digits", () => {
  it("packs to the committed bytes, twice", () => {
    const sourceBytes = read("digits.tflite");
    const labels = new TextDecoder().decode(read("labels.txt")).trim().split("\n");
    const options = {
      source: "digits.tflite",
      sourceBytes,
      labels,
      meanings: { image: { kind: "image", mean: 0, std: 255 } },
    } as const;
    const pack = () => {
      const graph = importModel(sourceBytes, "digits.tflite");
      const [input] = graph.inputs;
      return packGraph(graph, { ...options, meanings: { [graph.tensors[input!]!.name]: options.meanings.image } })
        .bytes;
    };
    expectSameBytes(pack(), pack(), "packed twice");
    expectSameBytes(pack(), read("digits.mote"), "models/digits/digits.mote; make it again as its README says");
  });

  it.each(BUILDS)("gives XNNPACK's bytes on the %s build", async (build) => {
    const inputs = read("golden/inputs.bin");
    const expected = read("golden/outputs.xnnpack.bin");
    const model = await loadModel(read("digits.mote"));
    const session = await model.createSession({ build });
    expect(inputs.length).toBe((expected.length / CLASSES) * INPUT_BYTES);
    for (let i = 0; i * INPUT_BYTES < inputs.length; i++) {
      const image = new Int8Array(inputs.slice(i * INPUT_BYTES, (i + 1) * INPUT_BYTES).buffer);
      const [scores] = Object.values(session.run(image)) as [Int8Array];
      const bytes = new Uint8Array(scores.buffer, scores.byteOffset, scores.byteLength);
      expectSameBytes(bytes, expected.subarray(i * CLASSES, (i + 1) * CLASSES), `digit ${i}`);
    }
    expect(session.selfTest()).toBe(true);
  });
});
