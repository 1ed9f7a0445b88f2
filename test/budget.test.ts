// What the core may cost and may do, on every build: its size, its exports, and that it asks nothing of
// its surroundings. The host's bundle is held by test/host/budget.test.ts.
import { readFileSync } from "node:fs";
import binaryen from "assemblyscript/binaryen";
import { describe, expect, it } from "vitest";
import { BUILDS } from "./support/core.ts";

const KIB = 1024;

/** The module in text form, one instruction a line. */
const textOf = (bytes: Uint8Array): string => binaryen.readBinary(bytes).emitText();

describe.each(BUILDS)("the %s core", (build) => {
  const bytes = readFileSync(new URL(`../dist/core/${build}.wasm`, import.meta.url));
  const module = new WebAssembly.Module(bytes);

  it("is at most 64 KiB", () => {
    expect(bytes.length).toBeLessThanOrEqual(64 * KIB);
  });

  it("imports nothing", () => {
    expect(WebAssembly.Module.imports(module)).toEqual([]);
  });

  it("exports its memory, what host/core.ts calls, the choice of inner loops, and nothing else", () => {
    const names = WebAssembly.Module.exports(module).map(({ kind, name }) => `${kind} ${name}`);
    const functions = ["build", "failedStep", "heapBase", "isNarrow", "load", "run", "runSteps", "useNarrow"];
    expect(names.sort()).toEqual([...functions.map((name) => `function ${name}`), "memory memory"]);
  });

  it("starts with one page of memory and never grows it", () => {
    const { memory } = new WebAssembly.Instance(module).exports as { memory: WebAssembly.Memory };
    expect(memory.buffer.byteLength).toBe(64 * KIB);
    const text = textOf(bytes);
    expect(text).toContain("i32.load");
    expect(text).not.toContain("memory.grow");
  });
});

describe("the look for memory.grow", () => {
  it("finds it", () => {
    const sample = binaryen.parseText('(module (memory 1) (func (export "f") (drop (memory.grow (i32.const 1)))))');
    expect(textOf(sample.emitBinary())).toContain("memory.grow");
  });
});
