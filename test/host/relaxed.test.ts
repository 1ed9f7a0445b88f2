// How the host weighs the relaxed build: what the core says of itself decides, and whatever fails, simd is left.
// The cores here are stand-ins that say what they are told, and the probe always invites them.
import binaryen from "assemblyscript/binaryen";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Build } from "../../assembly/abi.ts";
import { chooseCore } from "../../host/core.ts";
import { CORE } from "../support/core.ts";

const probe = vi.hoisted(() => ({ answers: [] as boolean[] }));
/** `relaxedWins` gives `answers` in turn, then true. */
vi.mock("../../host/features.ts", () => ({ hasSimd: () => true, relaxedWins: () => probe.answers.shift() ?? true }));
beforeEach(() => {
  probe.answers = [];
});

function standIn(worth: Build): Uint8Array<ArrayBuffer> {
  const functions = ["heapBase", "load", "failedStep", "run", "runSteps", "resetState"];
  const text = `(module (memory (export "memory") 1) (func (export "build") (result i32) (i32.const ${worth}))
    ${functions.map((name) => `(func (export "${name}") (result i32) (i32.const 0))`).join("")})`;
  return new Uint8Array(binaryen.parseText(text).emitBinary());
}

describe("the relaxed build", () => {
  it("is chosen where it computes right and wins", async () => {
    expect((await chooseCore({ ...CORE, relaxed: standIn(Build.Relaxed) })).build).toBe("relaxed");
  });

  it("is chosen where the core cannot tell whether it is slow, and the probe can", async () => {
    expect((await chooseCore({ ...CORE, relaxed: standIn(Build.RelaxedSlow) })).build).toBe("relaxed");
  });

  it("is left where it is slow, unless it is named", async () => {
    const source = { ...CORE, relaxed: standIn(Build.RelaxedSlow) };
    probe.answers = [true, false];
    expect((await chooseCore(source)).build).toBe("simd");
    expect((await chooseCore(source, "relaxed")).build).toBe("relaxed");
  });

  it("is never used where it computes wrong", async () => {
    const source = { ...CORE, relaxed: standIn(Build.RelaxedWrong) };
    expect((await chooseCore(source)).build).toBe("simd");
    await expect(chooseCore(source, "relaxed")).rejects.toMatchObject({
      code: "NO_CORE",
      message: 'No relaxed build of the core runs here: give another in "core".',
    });
  });

  it.each([
    ["its file is missing", () => Promise.reject(new Error("ENOENT"))],
    ["it does not compile", Uint8Array.of(0, 0x61, 0x73, 0x6d, 9, 9, 9, 9)],
    ["its address gives nothing", "data:text/plain,nothing"],
    ["it is another module", Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)],
  ])("is left where %s", async (_, relaxed) => {
    expect((await chooseCore({ ...CORE, relaxed })).build).toBe("simd");
    await expect(chooseCore({ relaxed })).rejects.toMatchObject({ code: "NO_CORE" });
  });
});
