// A session from the outside: running, values at the edge, wrong input, profile, dispose.
import { describe, expect, it } from "vitest";
import { Plan } from "../../assembly/abi.ts";
import { MoteError, type MoteErrorCode } from "../../host/errors.ts";
import { loadModel, type Session } from "../../host/index.ts";
import { writeModel } from "../../tools/pack/file.ts";
import { BUILDS, CORE } from "../support/core.ts";
import { TINY, type TinyOptions, tinyContent, tinyModel } from "../support/tinyModel.ts";

async function open(options?: TinyOptions, build: "simd" | "scalar" = "simd"): Promise<Session> {
  const model = await loadModel(tinyModel(options), { core: CORE });
  return model.createSession({ build });
}

function failure(code: MoteErrorCode, act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(MoteError);
    expect((error as MoteError).code).toBe(code);
    return (error as MoteError).message;
  }
  throw new Error("nothing was thrown");
}

const flip = (byte: number): number => ((byte ^ 0x80) << 24) >> 24;
const twelve = Int8Array.from({ length: 12 }, (_, i) => i * 20 - 120);
const flipped = twelve.map(flip);
const real = Float32Array.from(flipped, (q) => 0.5 * (q - 3));

describe.each(BUILDS)("a session on the %s build", (build) => {
  it("says its build and runs the file's self-test", async () => {
    const session = await open({}, build);
    expect(session.build).toBe(build);
    expect(session.selfTest()).toBe(true);
  });

  it("takes raw values by name or alone, and gives float32", async () => {
    const session = await open({}, build);
    expect(session.run({ x: twelve })).toEqual({ y: real });
    expect(session.run(twelve)).toEqual({ y: real });
  });

  it("gives raw values for an int8 output", async () => {
    const session = await open({ output: { dtype: "int8" } }, build);
    expect(session.run(twelve)).toEqual({ y: flipped });
  });
});

describe("float32 at the edge", () => {
  it("rounds ties to even, saturates, and reads NaN as zero", async () => {
    const session = await open({ output: { dtype: "int8" } });
    const x = Float32Array.of(0.25, 0.75, -0.25, -0.75, 1e30, -1e30, Infinity, -Infinity, NaN, -0, 0.2499999, 62);
    session.input("x").fill(77);
    const { y } = session.run({ x });
    const q = [3, 5, 3, 1, 127, -128, 127, -128, 3, 3, 3, 127];
    expect(Array.from(y!, flip)).toEqual(q);
  });

  it("divides by the float32 scale, in float32, whatever double the header holds", async () => {
    const session = await open({ input: { scale: 0.1, zeroPoint: 0 }, output: { dtype: "int8" } });
    const scale = Math.fround(0.1);
    for (let i = 0; i < 2560; i++) {
      const value = Math.fround(i / 100 - 12.8);
      const { y } = session.run(new Float32Array(12).fill(value));
      const exact = Math.fround(value / scale);
      const floor = Math.floor(exact);
      const even = exact - floor === 0.5 ? floor + (floor & 1) : Math.round(exact);
      expect(flip(y![0]!) === Math.max(-128, Math.min(127, even))).toBe(true);
    }
  });
});

describe("outputs given by the caller", () => {
  it("are filled and returned, float32 or raw", async () => {
    const session = await open();
    const y = new Float32Array(12);
    const outputs = { y };
    expect(session.run(twelve, outputs)).toBe(outputs);
    expect(y).toEqual(real);
    const raw = new Int8Array(12);
    session.run(twelve, { y: raw });
    expect(raw).toEqual(flipped);
  });

  it("may be the core's own memory, as may inputs", async () => {
    const session = await open();
    session.input("x").set(twelve);
    session.run({ x: session.input("x") }, { y: session.output("y") });
    expect(session.output("y")).toEqual(flipped);
  });
});

describe("wrong input is one sentence", () => {
  it.each([
    ["a missing name", {}, 'Inputs must be an object with an array for each of "x", got {}.'],
    ["an unknown name", { z: twelve }, 'Inputs must be an object with an array for each of "x", got {z}.'],
    ["an extra name", { x: twelve, z: twelve }, 'Inputs must be an object with an array for each of "x", got {x, z}.'],
    ["nothing", undefined, 'Inputs must be an object with an array for each of "x", got undefined.'],
    ["a list alone", [1, 2], 'Inputs must be an object with an array for each of "x", got {0, 1}.'],
    ["a number", 5, 'Inputs must be an object with an array for each of "x", got number.'],
    ["null alone", null, 'Inputs must be an object with an array for each of "x", got object.'],
    ["a wrong length", { x: new Int8Array(11) }, 'Input "x" must have 12 elements (shape 1×3×4), got 11.'],
    ["a wrong type", { x: new Uint8Array(12) }, 'Input "x" must be Int8Array or Float32Array, got Uint8Array.'],
    ["a list", { x: [1, 2, 3] }, 'Input "x" must be Int8Array or Float32Array, got object.'],
    ["null", { x: null }, 'Input "x" must be Int8Array or Float32Array, got object.'],
    ["a DataView", new DataView(new ArrayBuffer(12)), 'Input "x" must be Int8Array or Float32Array, got DataView.'],
  ])("%s", async (_, inputs, message) => {
    const session = await open();
    expect(failure("BAD_INPUT", () => session.run(inputs as unknown as Int8Array))).toBe(message);
  });

  it("for outputs too, before anything runs", async () => {
    const session = await open();
    session.output("y").fill(9);
    expect(failure("BAD_INPUT", () => session.run(twelve, { y: new Int8Array(5) }))).toContain('Output "y"');
    expect(failure("BAD_INPUT", () => session.run(twelve, {}))).toContain("Outputs must be");
    expect(session.output("y")[0]).toBe(9);
    expect(failure("BAD_INPUT", () => session.input("y"))).toBe('Input "y" does not exist: the model has "x".');
  });

  it("refuses float32 where a port has no scale", async () => {
    const plain = { dtype: "int8", scale: undefined, zeroPoint: undefined };
    const session = await open({ input: plain as never });
    expect(failure("BAD_INPUT", () => session.run(new Float32Array(12)))).toBe(
      'Input "x" must be Int8Array, got Float32Array.',
    );
  });
});

describe("a model with two inputs", () => {
  it("takes one array for each, by name only", async () => {
    const { header, image, selfTest } = tinyContent({ total: TINY.total + 64 });
    const view = new DataView(image.buffer);
    view.setUint32(Plan.InputCount * 4, 2, true);
    const io = [TINY.input, 12, TINY.total, 12, TINY.output, 12];
    io.forEach((word, i) => {
      view.setUint32(TINY.io + i * 4, word, true);
    });
    const inputs = [...header.inputs, { ...header.inputs[0]!, name: "unused" }];
    const vectors = { inputs: [selfTest.inputs[0]!, new Uint8Array(12)], outputs: selfTest.outputs };
    const file = writeModel({ header: { ...header, inputs }, image, selfTest: vectors });
    const session = await (await loadModel(file, { core: CORE })).createSession();
    expect(session.selfTest()).toBe(true);
    expect(session.run({ unused: twelve, x: twelve })).toEqual({ y: real });
    const message = (got: string): string =>
      `Inputs must be an object with an array for each of "x", "unused", got ${got}.`;
    expect(failure("BAD_INPUT", () => session.run(twelve))).toBe(message("Int8Array"));
    expect(failure("BAD_INPUT", () => session.run({ x: twelve }))).toBe(message("{x}"));
    // neither input is written when the other does not fit
    session.input("x").fill(1);
    failure("BAD_INPUT", () => session.run({ x: twelve, unused: new Int8Array(1) }));
    expect(session.input("x")[0]).toBe(1);
  });
});

describe("a disposed session", () => {
  it("refuses every use, and may be disposed again", async () => {
    const session = await open();
    session.dispose();
    session.dispose();
    for (const act of [
      () => session.run(twelve),
      () => session.profile(),
      () => session.selfTest(),
      () => session.input("x"),
      () => session.output("y"),
    ])
      expect(failure("DISPOSED", act)).toBe("This session was disposed: create another from the model.");
  });
});

describe("profile", () => {
  it("gives a row for every step", async () => {
    const session = await open();
    const [row, ...others] = session.profile(undefined, { runs: 3 });
    expect(others).toEqual([]);
    expect(row).toMatchObject({ index: 0, name: "flip", op: "lookup", kernel: "table", macs: 0 });
    expect(row!.ms).toBeGreaterThanOrEqual(0);
    expect(session.profile(twelve)).toHaveLength(1);
  });
});
