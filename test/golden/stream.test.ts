// Nets made incremental: after the window has filled, every run gives what the whole-window net gives for the same rows,
// byte for byte; also when the stream moves to another session, on another build, in between.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadModel } from "../../host/targets/node.ts";
import { evaluate } from "../../tools/evaluate/reference.ts";
import { withFrontEnd } from "../../tools/graph/frontEnds.ts";
import type { Graph } from "../../tools/graph/graph.ts";
import { streamGraph } from "../../tools/graph/stream.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { importModel } from "../../tools/import/index.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { BUILDS } from "../support/core.ts";
import { Random } from "../support/random.ts";
import { describeShared } from "../support/shared.ts";

async function expectAgreement(net: Graph, rows: number | undefined, runs: number): Promise<number> {
  const graph = streamGraph(net, rows);
  validateGraph(graph);
  const [, window, ...rest] = net.tensors[net.inputs[0]!]!.shape as [number, number, ...number[]];
  const fresh = graph.tensors[graph.inputs[0]!]!.shape[1]!;
  const width = rest.reduce((a, b) => a * b, 1);
  const model = await loadModel(packGraph(graph, { source: "stream", sourceBytes: new Uint8Array() }).bytes);
  const sessions = await Promise.all(BUILDS.map((build) => model.createSession({ build })));
  const random = new Random(77);
  const sound: number[] = [];
  let agreed = 0;
  for (let run = 0; run < runs; run++) {
    const chunk = random.int8(fresh * width, -100, 100);
    const floats = net.tensors[net.inputs[0]!]!.dtype === "float32";
    const given = floats ? Float32Array.from(chunk, (x) => x / 128) : chunk;
    sound.push(...given);
    const [before, session] = [sessions[run % sessions.length]!, sessions[(run + 1) % sessions.length]!];
    session.state.load(before.state.save());
    const [got] = Object.values(session.run(given));
    if (sound.length < window * width) continue;
    const last = sound.slice(-window * width);
    const [want] = evaluate(net, [floats ? Float32Array.from(last) : Int8Array.from(last)]);
    expect([...(got as Int8Array)], `run ${run}`).toEqual([...(want as Int8Array)]);
    agreed++;
  }
  return agreed;
}

describeShared("streaming", (data) => {
  const net = (name: string): Graph => importModel(readFileSync(join(data, `models/${name}.tflite`)), `${name}.tflite`);

  it("strww, layer by layer", async () => {
    const whole = net("str_ww_ref_model");
    expect(await expectAgreement(whole, undefined, 45)).toBeGreaterThan(10);
    const macs = (graph: Graph): number =>
      packGraph(graph, { source: "", sourceBytes: new Uint8Array() }).header.steps.reduce(
        (sum, step) => sum + step.macs,
        0,
      );
    expect(macs(streamGraph(whole))).toBeLessThan(macs(whole) / 5);
  });

  it("kws, whose convolutions are padded, over a ring of its features", async () => {
    expect(await expectAgreement(net("kws_ref_model"), 3, 22)).toBeGreaterThan(3);
  });

  it("kws from samples, over a ring of a second of sound", async () => {
    expect(await expectAgreement(withFrontEnd(net("kws_ref_model"), "kws"), 4000, 6)).toBeGreaterThan(1);
  });
});
