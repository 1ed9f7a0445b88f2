// ONNX's own node cases through the importer, the packer and the core: none may fail, and what is refused is counted.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runCase, SUITE } from "../../../tools/cli/onnxCase.ts";
import { describeShared } from "../../support/shared.ts";
import { sharedData } from "../../support/sharedData.ts";

/** Folders, how many of their cases there are at most that need an empty tensor, which no plan has. */
const FOLDERS: Readonly<Record<string, number>> = { "onnx-node": 3, "onnx-node-opset17": 1, "onnx-extra": 0 };

const INTEGER = /^(Quantize|Dequantize|DynamicQuantize)Linear$|^QLinear|Integer$/;

for (const [folder, refusals] of Object.entries(FOLDERS)) {
  describeShared(folder, () => {
    it("passes all but the empty ones; integers exact", { timeout: 300_000 }, async () => {
      const root = join(sharedData ?? "", folder);
      const text = readFileSync(join(root, "manifest.json"), "utf8").replaceAll(/-?\bInfinity\b|\bNaN\b/g, "null");
      const { cases } = JSON.parse(text) as { cases: { name: string; rtol?: number; atol?: number }[] };
      const stated = new Map(cases.map((entry) => [entry.name, entry]));
      const bad: string[] = [];
      let refused = 0;
      for (const name of readdirSync(root).sort()) {
        if (!existsSync(join(root, name, "model.onnx"))) continue;
        const { rtol = SUITE.rtol, atol = SUITE.atol } = stated.get(name) ?? {};
        const { outcome, detail, operators } = await runCase(join(root, name), { rtol, atol }, "simd");
        if (outcome === "failed") bad.push(`${name}: ${detail}`);
        if (outcome === "refused") {
          refused++;
          expect(detail).toMatch(/open \(0\)/);
        }
        // the runner compares integers exactly; the real outputs of integer operators are exact here too
        const isInteger = operators.every((operator) => INTEGER.test(operator));
        if (isInteger && outcome === "passed" && detail !== "exact") bad.push(`${name}: ${detail}`);
      }
      expect(bad).toEqual([]);
      expect(refused).toBe(refusals);
    });
  });
}
