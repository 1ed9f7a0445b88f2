// `mote evaluate` and `mote diff` as a person runs them.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "fast-png";
import { describe, expect, it } from "vitest";
import { root } from "../support/sources.ts";
import { classifier, LABELS, thirdsPicture } from "./classifier.ts";
import { folder, mote } from "./command.ts";

const dir = folder();
const model = join(dir, "thirds.mote");
writeFileSync(model, classifier());
const data = join(dir, "data");
for (const [i, label] of LABELS.entries()) {
  // folders are taken in the order of their names
  mkdirSync(join(data, `${i}-${label}`), { recursive: true });
  for (const shown of i === 0 ? [0, 0, 1] : [i])
    writeFileSync(
      join(data, `${i}-${label}`, `${shown}-${Math.random()}.png`),
      encode({ width: 8, height: 8, channels: 1, depth: 8, data: thirdsPicture(shown) }),
    );
}
const digits = join(root, "models/digits/digits.tflite");

describe("mote evaluate", () => {
  it("counts what is right, and who is taken for whom", async () => {
    const { status, stdout } = await mote("evaluate", model, "--data", data, "--json");
    expect(status).toBe(0);
    const { accuracy, confusion, samples } = JSON.parse(stdout) as {
      accuracy: number;
      samples: number;
      confusion: number[][];
    };
    expect(samples).toBe(LABELS.length + 2);
    expect(accuracy).toBeCloseTo(1 - 1 / samples, 9);
    expect(confusion[0]!.slice(0, 2)).toEqual([2, 1]);
    expect((await mote("evaluate", model, "--data", data)).stdout).toMatch(/accuracy +80\.00 %/);
  });

  it.each([
    [[], /must know what to judge on: add --data PATH/],
    [["--data", "nowhere"], /nowhere cannot be read: there is no such file or folder/],
    [["--data", join(root, "models/xor/recipe.ts")], /the samples of .* are \[2\] but the model takes \[1,8,8,1\]/],
  ])("%j is refused in a sentence", async (words, message) => {
    const { status, stderr } = await mote("evaluate", model, ...words);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(message);
  });
});

describe("mote diff", () => {
  it("of a model and itself finds no error, and writes one page", async () => {
    const report = join(dir, "diff.html");
    const { status, stdout } = await mote("diff", digits, digits, "--samples", "4", "--report", report);
    expect(status).toBe(0);
    expect(stdout).toMatch(/outputs +no error/);
    expect(readFileSync(report, "utf8")).toContain("Signal to error");
  });
});
