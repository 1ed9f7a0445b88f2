// The training core is what it says: no imports, no instruction whose result the standard leaves open, and not a word
// of it in the host.
import { readFileSync } from "node:fs";
import binaryen from "assemblyscript/binaryen";
import { expect, it } from "vitest";
import { read, sources } from "../support/sources.ts";

const text = binaryen.readBinary(readFileSync(new URL("../../dist/core/train.wasm", import.meta.url))).emitText();

it("imports nothing and grows nothing itself", () => {
  expect(text).not.toContain("(import ");
  expect(text).not.toContain("memory.grow");
});

it("uses no relaxed instruction, so that the same seed gives the same bytes everywhere", () => {
  expect(text).toContain("f32x4.mul");
  expect(text).not.toMatch(/relaxed/);
});

it("is unknown to the host", () => {
  expect(sources.filter((path) => path.startsWith("host/") && read(path).includes("train"))).toEqual([]);
});
