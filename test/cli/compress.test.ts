// The compressing commands as a person runs them: a recipe trained, then pruned, quantized, searched and taught; every one
// leaves a model that the core runs, a card and a report.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadModel } from "../../host/targets/node.ts";
import { folder, mote } from "./command.ts";

const dir = folder();
const recipe = (name: string, units: number): string => {
  const path = join(dir, `${name}.ts`);
  writeFileSync(
    path,
    `import { adam, constant, defineRecipe, dense, Random, type Samples, sequential } from "mote-runtime/train";
    function rings(count: number, random: Random): Samples {
      const y = Int32Array.from({ length: count }, (_, i) => i % 2);
      const x = new Float32Array(count * 4);
      for (let i = 0; i < count; i++) {
        const [radius, angle] = [1 + y[i]! + 0.2 * random.normal(), random.between(0, 6.3)];
        x.set([radius * Math.cos(angle), radius * Math.sin(angle), radius, 1], i * 4);
      }
      return { x, y, shape: [4], count };
    }
    export default defineRecipe({
      name: "${name}", description: "Two rings.",
      data: () => ({ train: rings(256, new Random(1)), validation: rings(64, new Random(3)), test: rings(130, new Random(2)), classes: ["in", "out"], source: "drawn" }),
      net: () => sequential(dense(${units}, { activation: "relu" }), dense(${units}, { activation: "relu" }), dense(2)),
      batch: 32, epochs: 8, optimizer: adam(), schedule: constant(0.01),
    });`,
  );
  return path;
};
const net = recipe("rings", 64);
const trained = join(dir, "rings");
const weights = join(trained, "weights.bin");

interface Card {
  readonly accuracy: number;
  readonly accuracyBefore: number;
  readonly bytes: number;
  readonly bytesBefore: number;
  readonly variants: readonly { readonly name: string; readonly bytes: number }[];
}

async function made(command: string, words: readonly string[], name: string): Promise<Card> {
  const out = join(dir, name);
  const { status, stdout, stderr } = await mote(command, ...words, "-o", out, "--json");
  expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
  const model = await loadModel(new Uint8Array(readFileSync(join(out, "model.mote"))));
  expect((await model.createSession()).selfTest()).toBe(true);
  const report = readFileSync(join(out, "report.html"), "utf8");
  for (const title of ["Variants", "Error by layer", "Size and time by layer", "Weights", "Activations"])
    expect(report).toContain(`<h2>${title}`);
  expect(report).not.toMatch(/(src|href)="(?!data:)/);
  expect(existsSync(join(out, "card.md"))).toBe(true);
  return JSON.parse(stdout) as Card;
}

beforeAll(async () => {
  expect((await mote("train", net, "-o", trained)).status).toBe(0);
}, 240_000);

describe("compressing commands", () => {
  it("mote quantize rounds, and trains on in integers", async () => {
    const rounded = await made("quantize", [net, "--from", weights, "--weights", "int4"], "rounded");
    expect(rounded.bytes).toBeLessThan(rounded.bytesBefore);
    const binary = await made(
      "quantize",
      [net, "--from", weights, "--weights", "binary", "--epochs", "4", "--rate", "0.01"],
      "binary",
    );
    expect(binary.accuracy).toBeGreaterThan(0.9);
  }, 240_000);

  it("mote prune leaves the zeros asked for, with training and without", async () => {
    const words = [net, "--from", weights, "--zeros", "0.75", "--least", "1000"];
    const once = await made("prune", words, "pruned");
    expect(once.bytes).toBeLessThan(once.bytesBefore);
    const learned = await made("prune", [...words, "--epochs", "4", "--rate", "0.005"], "learned");
    expect(learned.accuracy).toBeGreaterThan(0.95);
    const fewer = await made("prune", [net, "--from", weights, "--zeros", "0.5", "--structure", "channels"], "fewer");
    expect(fewer.bytes).toBeLessThan(fewer.bytesBefore);
  }, 240_000);

  it("mote search keeps its budget, and says what it tried", async () => {
    const int8 = await made("quantize", [net, "--from", weights], "int8");
    const budget = Math.floor(int8.bytes * 0.85);
    const found = await made("search", [net, "--from", weights, "--max-bytes", `${budget}`], "found");
    expect(found.bytes).toBeLessThanOrEqual(budget);
    expect(found.variants.length).toBeGreaterThan(4);
    const { status, stderr } = await mote("search", net, "--from", weights, "--max-bytes", "10", "-o", join(dir, "no"));
    expect(status).toBe(1);
    expect(stderr).toMatch(/nothing of the \d+ variants is within the budget: the smallest has \d+ bytes/);
  }, 240_000);

  it("mote distill teaches a student by one net or two", async () => {
    const student = recipe("student", 8);
    const one = ["--teacher", net, "--teacher-weights", weights];
    expect((await made("distill", [student, ...one], "taught")).accuracy).toBeGreaterThan(0.9);
    const two = [...one, "--teacher-weights", weights];
    expect((await made("distill", [student, ...two], "both")).accuracy).toBeGreaterThan(0.9);
  }, 240_000);

  it.each([
    [["quantize", net, "-o", "x"], /is a recipe: add --from FOLDER\/weights\.bin/],
    [["quantize", net, "--from", weights], /must know where to write: add --output FOLDER/],
    [["search", net, "--from", weights, "-o", "x"], /must know a budget: add --max-bytes, --max-ms or --min-accuracy/],
    [
      ["prune", net, "--from", weights, "--structure", "2:4", "-o", "x"],
      /this structure needs training: add --epochs N/,
    ],
    [["distill", net, "-o", "x"], /must know the teacher/],
  ])("%j is refused in a sentence", async (words, message) => {
    const { status, stderr } = await mote(...words);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });
});
