// The reactor in Node (`openReactor`): bytes, streams and their state, and what it refuses, memory above all.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openReactor } from "../../host/targets/wasi.ts";
import { compileModel } from "../../tools/compile/compile.ts";
import { StreamReference } from "../../tools/evaluate/reference.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { Random } from "../support/random.ts";
import { root } from "../support/sources.ts";
import { delayGraph, FRAME } from "../support/streamModel.ts";
import { withMostPages } from "./memorySection.ts";
import { wasiModule } from "./runner.ts";

const PAGE_KIB = 64;
const at = (path: string): Uint8Array => new Uint8Array(readFileSync(`${root}/${path}`));
const digits = at("models/digits/digits.mote");
const delay = packGraph(delayGraph(), { source: "test", sourceBytes: new Uint8Array() }).bytes;

/** The bytes of one step after another, and the reference's. */
const frames = Array.from({ length: 8 }, (_, i) => new Random(i).int8(FRAME));
const reference = new StreamReference(delayGraph());
const expected = frames.map((frame) => Buffer.from(reference.run([frame])[0]!.buffer).toString("hex"));

describe.each(["reactor", "reactor-scalar"])("%s.wasm by openReactor", (name) => {
  const module = new Uint8Array(readFileSync(wasiModule(name)));
  const run = (reactor: Awaited<ReturnType<typeof openReactor>>, frame: Int8Array): string => {
    reactor.inputs[0]!.set(new Uint8Array(frame.buffer));
    reactor.run();
    return Buffer.from(reactor.outputs[0]!).toString("hex");
  };

  it("runs digits as XNNPACK does", async () => {
    const reactor = await openReactor(module, digits);
    const inputs = at("models/digits/golden/inputs.bin");
    const outputs = at("models/digits/golden/outputs.xnnpack.bin");
    const [from, to] = [reactor.inputs[0]!.length, reactor.outputs[0]!.length];
    for (let i = 0; i * from < inputs.length; i++) {
      reactor.inputs[0]!.set(inputs.subarray(i * from, (i + 1) * from));
      reactor.run();
      expect(Buffer.compare(reactor.outputs[0]!, outputs.subarray(i * to, (i + 1) * to))).toBe(0);
    }
  });

  it("saves a stream, and goes on with it elsewhere, in a compiled module too", async () => {
    const first = await openReactor(module, delay);
    const half = frames.slice(0, 4).map((frame) => run(first, frame));
    const saved = first.saveState();
    const compiled = (await compileModel(delay, { build: name.endsWith("scalar") ? "scalar" : "simd" })).bytes;
    for (const second of [await openReactor(module, delay), await openReactor(compiled)]) {
      second.loadState(saved);
      expect([...half, ...frames.slice(4).map((frame) => run(second, frame))]).toEqual(expected);
    }
    first.resetState();
    expect(frames.map((frame) => run(first, frame))).toEqual(expected);
  });

  it("refuses what is no state of its model, and then starts anew", async () => {
    const reactor = await openReactor(module, delay);
    const saved = reactor.saveState();
    expect(() => reactor.loadState(saved.subarray(1))).toThrow(
      expect.objectContaining({ code: "BAD_STATE", message: expect.stringContaining(`got ${saved.length - 1}`) }),
    );
    saved[saved.length - 1]! ^= 1;
    expect(() => reactor.loadState(saved)).toThrow(expect.objectContaining({ code: "BAD_STATE" }));
    expect(frames.map((frame) => run(reactor, frame))).toEqual(expected);
    const stateless = await openReactor(module, digits);
    expect(() => stateless.saveState()).toThrow(expect.objectContaining({ code: "BAD_STATE" }));
  });

  it("refuses a damaged or truncated model, and none, or one too many", async () => {
    const damaged = digits.slice();
    damaged[damaged.length >> 1]! ^= 1;
    await expect(openReactor(module, damaged)).rejects.toMatchObject({ code: "BAD_MODEL" });
    await expect(openReactor(module, digits.subarray(0, 1000))).rejects.toMatchObject({
      code: "BAD_MODEL",
      message: expect.stringContaining(`it ends after 1000 of ${digits.length} bytes`),
    });
    await expect(openReactor(module)).rejects.toMatchObject({ code: "BAD_INPUT" });
    await expect(openReactor((await compileModel(delay)).bytes, delay)).rejects.toMatchObject({ code: "BAD_INPUT" });
  });

  it("refuses a model that is larger than the memory before it is copied, with the bytes needed and there", async () => {
    const room = Math.floor(digits.length / (PAGE_KIB * 1024));
    const small = withMostPages(module, Math.max(room, 1));
    await expect(openReactor(small, digits)).rejects.toMatchObject({
      code: "MEMORY",
      message: expect.stringMatching(
        new RegExp(`the model needs \\d+ KiB of memory, and there are ${Math.max(room, 1) * PAGE_KIB}\\.$`),
      ),
    });
    // the reactor itself, which the copy would have overwritten, still answers
    const instance = (await WebAssembly.instantiate(new WebAssembly.Module(small as BufferSource)))
      .exports as unknown as {
      readonly memory: WebAssembly.Memory;
      mote_reserve(bytes: number): number;
      mote_load(bytes: number): number;
    };
    expect(instance.mote_reserve(2 ** 31)).toBe(0);
    expect(instance.memory.buffer.byteLength).toBe(Math.max(room, 1) * PAGE_KIB * 1024);
    expect(instance.mote_load(digits.length)).not.toBe(0);
  });
});
