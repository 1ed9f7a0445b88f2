// How the core is found: which build is chosen, that a file is read once, what a refusal says.
import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { Op, Status, Step } from "../../assembly/abi.ts";
import { type CoreSource, chooseCore } from "../../host/core.ts";
import { hasSimd } from "../../host/features.ts";
import { loadModel } from "../../host/index.ts";
import { statusError } from "../../host/status.ts";
import { writeModel } from "../../tools/pack/file.ts";
import { CORE } from "../support/core.ts";
import { TINY, tinyContent, tinyModel } from "../support/tinyModel.ts";

const file = (build: string): Buffer => readFileSync(new URL(`../../dist/core/${build}.wasm`, import.meta.url));
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const NOT_WASM = Uint8Array.of(0, 0x61, 0x73, 0x6d, 9, 9, 9, 9);
/** (module (import "m" "f" (func))) */
const WITH_IMPORT = Uint8Array.of(...EMPTY_MODULE, ...[1, 4, 1, 0x60, 0, 0], ...[2, 7, 1, 1, 0x6d, 1, 0x66, 0, 0]);

describe("the choice of the core", () => {
  it("is simd where the engine validates its instructions", async () => {
    expect(hasSimd()).toBe(true);
    const core = await chooseCore({ simd: () => file("simd"), scalar: () => file("scalar") });
    expect(core.build).toBe("simd");
    expect(core.base % 64).toBe(0);
  });

  it("is scalar where the engine does not, and simd is then not even read", async () => {
    const validate = vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
    const [relaxed, simd] = [vi.fn(), vi.fn()];
    expect((await chooseCore({ relaxed, simd, scalar: () => file("scalar") })).build).toBe("scalar");
    expect(relaxed).not.toHaveBeenCalled();
    expect(simd).not.toHaveBeenCalled();
    // a compiled module is the proof that it runs
    expect((await chooseCore(CORE)).build).toBe("simd");
    validate.mockRestore();
  });

  it("is scalar where simd does not compile", async () => {
    expect((await chooseCore({ simd: NOT_WASM, scalar: file("scalar") })).build).toBe("scalar");
  });

  it("is the build that is named, or the only one given", async () => {
    expect((await chooseCore(CORE, "scalar")).build).toBe("scalar");
    expect((await chooseCore({ scalar: CORE.scalar! })).build).toBe("scalar");
    const model = await loadModel(tinyModel(), { core: CORE });
    expect((await model.createSession()).build).toBe("simd");
    expect((await model.createSession({ build: "scalar" })).build).toBe("scalar");
  });

  it.each<readonly [string, CoreSource, string]>([
    ["none", {}, 'No relaxed, simd or scalar build of the core runs here: give another in "core".'],
    ["what is not wasm", { scalar: NOT_WASM }, "No relaxed, simd or scalar build"],
    ["another module", { simd: EMPTY_MODULE }, 'The core file has no export "build": use the one of this release.'],
    ["a module with imports", { simd: WITH_IMPORT }, "The core does not start on this engine: TypeError"],
  ])("refuses %s", async (_, source, message) => {
    await expect(chooseCore(source)).rejects.toMatchObject({
      code: "NO_CORE",
      message: expect.stringContaining(message),
    });
  });

  it("is told by the core itself, wherever its file was given", async () => {
    expect((await chooseCore({ simd: file("scalar") })).build).toBe("scalar");
  });

  it("refuses a named build that is not given", async () => {
    await expect(chooseCore({ scalar: CORE.scalar! }, "simd")).rejects.toMatchObject({
      message: 'No simd build of the core runs here: give another in "core".',
    });
  });
});

describe("a core file", () => {
  it("is read once, and again only after a failure", async () => {
    const simd = vi.fn(() => file("simd"));
    await Promise.all([chooseCore({ simd }), chooseCore({ simd })]);
    await chooseCore({ simd });
    expect(simd).toHaveBeenCalledTimes(1);
    const flaky = vi
      .fn(() => file("simd"))
      .mockImplementationOnce(() => {
        throw new Error("offline");
      });
    await expect(chooseCore({ simd: flaky })).rejects.toThrow("offline");
    expect((await chooseCore({ simd: flaky })).build).toBe("simd");
  });

  it("is fetched from an address", async () => {
    const url = `data:application/wasm;base64,${file("scalar").toString("base64")}`;
    expect((await chooseCore({ scalar: url })).build).toBe("scalar");
    expect((await chooseCore({ scalar: new URL(url) })).build).toBe("scalar");
    const fetching = vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response(null, { status: 404 }));
    await expect(chooseCore({ scalar: "https://example.test/scalar.wasm" })).rejects.toMatchObject({
      code: "NO_CORE",
      message: "Fetching the core https://example.test/scalar.wasm gave HTTP 404.",
    });
    fetching.mockRestore();
  });
});

describe("what the core refuses", () => {
  it("is told with the step's index, operator and name", async () => {
    const content = tinyContent();
    new DataView(content.image.buffer).setUint32(TINY.step + Step.Op * 4, 999, true);
    const model = await loadModel(writeModel(content), { core: CORE });
    await expect(model.createSession()).rejects.toMatchObject({
      code: "BAD_MODEL",
      message:
        'The core refuses step 0 (lookup "flip"): the operator is unknown; use the core of this release and pack the model again.',
    });
    new DataView(content.image.buffer).setUint32(TINY.step + Step.Op * 4, Op.Lookup, true);
    new DataView(content.image.buffer).setUint32(TINY.step + Step.Output * 4, 0, true);
    const writing = await loadModel(writeModel(content), { core: CORE });
    await expect(writing.createSession({ build: "scalar" })).rejects.toMatchObject({
      message: expect.stringContaining('step 0 (lookup "flip"): it writes outside the arena'),
    });
  });

  it("has a sentence for every status", () => {
    for (let status = Status.NotLoaded; status <= Status.Scratch; status++)
      expect(statusError(status, -1, []).message).not.toContain("status");
    expect(statusError(99, 3, []).message).toContain("refuses the plan: status 99");
    expect(statusError(Status.AbiVersion, -1, []).code).toBe("NO_CORE");
  });
});
