// What the core may cost and may do, on every build: its size (by families of operators: families.test.ts), its exports, and that it asks nothing of
// its surroundings. The host's bundle is held by test/host/budget.test.ts.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import binaryen from "assemblyscript/binaryen";
import { describe, expect, it } from "vitest";

const KIB = 1024;

/** The module in text form, one instruction a line. */
const textOf = (bytes: Uint8Array): string => binaryen.readBinary(bytes).emitText();

// read as text: not every engine that runs the tests compiles every build
describe.each(["scalar", "simd", "relaxed"])("the %s core", (build) => {
  const bytes = readFileSync(new URL(`../dist/core/${build}.wasm`, import.meta.url));
  const text = textOf(bytes);

  it("is at most 128 KiB, and 48 KiB compressed", () => {
    expect(bytes.length).toBeLessThanOrEqual(128 * KIB);
    expect(gzipSync(bytes, { level: 9 }).length).toBeLessThanOrEqual(48 * KIB);
  });

  it("imports nothing", () => {
    expect(text).not.toContain("(import ");
  });

  it("exports its memory, what host/core.ts calls, the choice of inner loops, and nothing else", () => {
    const names = [...text.matchAll(/\(export "(\w+)" \((\w+) /g)].map(([, name, kind]) => `${kind} ${name}`);
    const functions = [
      "build",
      "failedStep",
      "heapBase",
      "isNarrow",
      "load",
      "resetState",
      "run",
      "runSteps",
      "useNarrow",
    ];
    expect(names.sort()).toEqual([...functions.map((name) => `func ${name}`), "memory memory"]);
  });

  it("starts with one page of memory and never grows it", () => {
    expect(text).toMatch(/^ *\(memory \$?\S+ 1\)$/m);
    expect(text).toContain("i32.load");
    expect(text).not.toContain("memory.grow");
  });

  it("has relaxed instructions in the relaxed build only", () => {
    expect(text.includes("relaxed_")).toBe(build === "relaxed");
    // the only ones whose results the standard fixes for the operands that the core gives them: 0 … 127, indices below 16
    const fixed = /i32x4\.relaxed_dot_i8x16_i7x16_add_s|i16x8\.relaxed_dot_i8x16_i7x16_s|i8x16\.relaxed_swizzle/g;
    expect(text.replaceAll(fixed, "")).not.toMatch(/relaxed_|relaxed-/);
  });
});

describe("the look at a module's text", () => {
  it("finds imports", () => {
    expect(textOf(binaryen.parseText('(module (import "m" "f" (func)))').emitBinary())).toContain("(import ");
  });

  it("finds memory.grow", () => {
    const sample = binaryen.parseText('(module (memory 1) (func (export "f") (drop (memory.grow (i32.const 1)))))');
    expect(textOf(sample.emitBinary())).toContain("memory.grow");
  });
});
