// A stream's state: saved, loaded on other builds and in another process, refused when it is not the model's own.
// Invariant: what comes out after a load is what the uninterrupted stream gives, byte for byte.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { StateFile } from "../../assembly/abi.ts";
import { crc32c } from "../../host/format/crc32c.ts";
import { loadModel, type Model, MoteError } from "../../host/index.ts";
import { StreamReference } from "../../tools/evaluate/reference.ts";
import type { Graph } from "../../tools/graph/graph.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { BUILDS, CORE } from "../support/core.ts";
import { Random } from "../support/random.ts";
import { delayGraph, FRAME } from "../support/streamModel.ts";
import { tinyModel } from "../support/tinyModel.ts";

const pack = (graph: Graph): Uint8Array => packGraph(graph, { source: "test", sourceBytes: new Uint8Array() }).bytes;
const bytes = pack(delayGraph());
const open = (file = bytes): Promise<Model> => loadModel(file, { core: CORE });

const STEPS = 40;
const random = new Random(7);
const frames = Array.from({ length: STEPS }, () => random.int8(FRAME));
const reference = new StreamReference(delayGraph());
const expected = frames.map((frame) => [...reference.run([frame])[0]!]);

function refusal(act: () => void): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(MoteError);
    expect((error as MoteError).code).toBe("BAD_STATE");
    return (error as MoteError).message;
  }
  throw new Error("nothing was thrown");
}

/** `saved` with its checksum made right, so that what else is wrong is what is found. */
function resealed(saved: Uint8Array): Uint8Array {
  const copy = saved.slice();
  const view = new DataView(copy.buffer);
  view.setUint32(StateFile.CrcOffset, 0, true);
  view.setUint32(StateFile.CrcOffset, crc32c(copy), true);
  return copy;
}

describe.each(BUILDS)("a stream on the %s build", (build) => {
  it("gives the reference's bytes, frame by frame, and starts anew after reset", async () => {
    const session = await (await open()).createSession({ build });
    for (let round = 0; round < 2; round++) {
      expect(frames.map((frame) => [...session.run(frame).y!])).toEqual(expected);
      session.state.reset();
    }
  });

  it("is not disturbed by selfTest and profile", async () => {
    const session = await (await open()).createSession({ build });
    for (const [i, frame] of frames.entries()) {
      if (i === 5) expect(session.selfTest()).toBe(true);
      if (i === 9) session.profile(undefined, { runs: 2 });
      expect([...session.run(frame).y!]).toEqual(expected[i]);
    }
    expect(session.selfTest()).toBe(true);
  });
});

describe("a saved state", () => {
  it("goes on at a thousand random places, from any build to any other", async () => {
    const model = await open();
    const sessions = await Promise.all(BUILDS.map((build) => model.createSession({ build })));
    const pick = () => sessions[random.integer(0, sessions.length - 1)]!;
    for (let cut = 0; cut < 1000; cut++) {
      const at = random.integer(0, STEPS - 1);
      const [first, second] = [pick(), pick()];
      first.state.reset();
      for (const frame of frames.slice(0, at)) first.run(frame);
      const saved = first.state.save();
      expect(saved.length).toBe(first.state.bytes);
      // what another stream left must not matter
      for (let i = random.integer(0, 3); i > 0; i--) second.run(random.int8(FRAME));
      second.state.load(saved);
      for (let i = at; i < Math.min(STEPS, at + 5); i++) expect([...second.run(frames[i]!).y!]).toEqual(expected[i]);
    }
  });

  it("goes on in another process", async () => {
    const folder = mkdtempSync(join(tmpdir(), "mote-state-"));
    try {
      const session = await (await open()).createSession({ build: "simd" });
      for (const frame of frames.slice(0, 20)) session.run(frame);
      writeFileSync(join(folder, "m.mote"), bytes);
      writeFileSync(join(folder, "state"), session.state.save());
      const script = `
        import { readFileSync } from "node:fs";
        import { loadModel } from ${JSON.stringify(new URL("../../dist/host/targets/node.js", import.meta.url).href)};
        const session = await (await loadModel(${JSON.stringify(join(folder, "m.mote"))})).createSession({ build: "scalar" });
        session.state.load(readFileSync(${JSON.stringify(join(folder, "state"))}));
        const frames = ${JSON.stringify(frames.slice(20).map((frame) => [...frame]))};
        console.log(JSON.stringify(frames.map((frame) => [...session.run(Int8Array.from(frame)).y])));`;
      const out = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
      expect(JSON.parse(out)).toEqual(expected.slice(20));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is refused, and the session unharmed, when anything about it is wrong", async () => {
    const model = await open();
    const session = await model.createSession();
    for (const frame of frames.slice(0, 10)) session.run(frame);
    const saved = session.state.save();
    const foreign = await (await open(pack(delayGraph(2)))).createSession();
    const older = resealed(saved);
    new DataView(older.buffer).setUint16(StateFile.VersionOffset, 0, true);
    const shorter = resealed(saved.subarray(0, saved.length - 4));
    const wrong: [Uint8Array, RegExp][] = [
      [new Uint8Array(), /no saved state: 0 bytes/],
      [bytes, /no saved state/],
      [resealed(older), /version 0, and this runtime reads version 1: start the stream anew/],
      [saved.subarray(0, saved.length - 1), /damaged state: \d+ bytes where its header says/],
      [shorter, /damaged state: \d+ bytes where/],
      [foreign.state.save(), /the state of another model/],
    ];
    for (let at = 0; at < saved.length; at++) {
      const altered = saved.slice();
      altered[at] = altered[at]! ^ (1 << random.integer(0, 7));
      wrong.push([altered, /state/]);
    }
    for (const [given, reason] of wrong) expect(refusal(() => session.state.load(given))).toMatch(reason);
    expect([...session.run(frames[10]!).y!]).toEqual(expected[10]);
  });

  it("has nothing to save in a model without one", async () => {
    const session = await (await open(tinyModel())).createSession();
    expect(session.state.bytes).toBe(0);
    expect(refusal(() => session.state.save())).toMatch(/keeps nothing between runs/);
    session.state.reset();
    session.dispose();
    expect(() => session.state.reset()).toThrow(/disposed/);
  });
});
