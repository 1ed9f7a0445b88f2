// The front ends on real recordings: kws' features are those of the published pipeline, byte for byte, and the spotter
// made of it hears "yes" and "no" in the files, on every build.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadModel } from "../../host/targets/node.ts";
import { readWav } from "../../tools/data/wav.ts";
import { evaluateAll } from "../../tools/evaluate/reference.ts";
import { withFrontEnd } from "../../tools/graph/frontEnds.ts";
import { importModel } from "../../tools/import/index.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { BUILDS } from "../support/core.ts";
import { describeShared } from "../support/shared.ts";
import { modelCases } from "./goldens.ts";

const RECORDINGS = { yes: "yes_1000ms", no: "no_1000ms", noise: "noise_1000ms", marvin617: "marvin_617de221_0" };

describeShared("the front end of kws", (data) => {
  const source = readFileSync(join(data, "models/kws_ref_model.tflite"));
  const net = importModel(source, "kws_ref_model.tflite");
  const graph = withFrontEnd(net, "kws");
  const cases = modelCases(data, "kws_ref_model");

  it.each(Object.entries(RECORDINGS))("gives the input and the output of the case %s", async (name, file) => {
    const golden = cases.find((one) => one.name === name)!;
    const sound = await readWav(readFileSync(join(data, `media/${file}.wav`)), file);
    const samples = new Float32Array(16000);
    samples.set(sound.samples.subarray(0, 16000));
    const values = evaluateAll(graph, [samples]);
    const features = new Uint8Array((values[net.inputs[0]!] as Int8Array).buffer);
    expect(Buffer.compare(features, golden.inputs[0]!)).toBe(0);
    const model = await loadModel(packGraph(graph, { source: "kws", sourceBytes: source }).bytes);
    for (const build of BUILDS) {
      const session = await model.createSession({ build });
      const [scores] = Object.values(session.run(samples));
      expect([...new Uint8Array((scores as Int8Array).buffer)]).toEqual([...golden.outputs[0]!.xnnpack!]);
    }
  });
});
