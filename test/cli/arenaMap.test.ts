// The drawn arena: what is where, and that no model makes the drawing large.
import { expect, it } from "vitest";
import type { StepHeader } from "../../host/format/header.ts";
import { readModel } from "../../host/format/reader.ts";
import { arenaMap } from "../../tools/cli/arenaMap.ts";
import { tinyContent, tinyModel } from "../support/tinyModel.ts";

it("draws the inputs, then what every step writes", () => {
  // 128 bytes: the input at 0, the output at 64
  expect(arenaMap(readModel(tinyModel())).split("\n").slice(2)).toEqual(["", "     in", "  0 │█░│", " 64 │ █│"]);
});

it("draws what load makes, which stays", () => {
  const file = readModel(tinyModel());
  const [step] = tinyContent().header.steps as [StepHeader];
  const steps: StepHeader[] = [{ ...step, residentSlot: [128, 64] }];
  const memory = { ...file.header.memory, arenaBytes: 192 };
  const map = arenaMap({ ...file, header: { ...file.header, steps, memory } });
  expect(map).toContain("▒ weights made at load");
  expect(map.split("\n").at(-1)).toBe("128 │▒▒│");
});

it("breaks a long model into blocks and a large arena into ranges", () => {
  const file = readModel(tinyModel());
  const [step] = tinyContent().header.steps as [StepHeader];
  const steps = Array.from({ length: 150 }, (_, i): StepHeader => ({ ...step, outputSlot: [i * 1000, 1000] }));
  const memory = { ...file.header.memory, arenaBytes: 150_000 };
  const lines = arenaMap({ ...file, header: { ...file.header, steps, memory } }).split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(100);
  expect(lines.filter((line) => line.includes("│"))).toHaveLength(3 * 16);
  expect(lines.filter((line) => line === "")).toHaveLength(3);
  expect(lines.find((line) => line.trim().startsWith("in"))).toMatch(/ +in +10 +20 +30 +40 +50 +60$/);
});
