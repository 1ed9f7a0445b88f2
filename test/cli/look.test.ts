// `mote inspect`, `explain`, `profile` and `verify`: what they say for a person and for a program.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeModel } from "../../tools/pack/file.ts";
import { tinyContent, tinyModel } from "../support/tinyModel.ts";
import { classifier, LABELS } from "./classifier.ts";
import { folder, mote } from "./command.ts";

const dir = folder();
const thirds = join(dir, "thirds.mote");
const bytes = classifier();
writeFileSync(thirds, bytes);

const text = async (...words: readonly string[]): Promise<string> => {
  const { status, stdout } = await mote(...words);
  expect(status).toBe(0);
  return stdout;
};
const json = async (...words: readonly string[]): Promise<Record<string, unknown>> =>
  JSON.parse(await text(...words, "--json")) as Record<string, unknown>;

describe("mote inspect", () => {
  it("says everything the file does", async () => {
    const said = await text("inspect", thirds);
    expect(said).toMatch(/^model +thirds$/m);
    expect(said).toMatch(/^work +1 steps, 192 MACs a run$/m);
    expect(said).toMatch(/^input +image +int8 +1×8×8×1 +0\.003921569 +-128 +image, real = \(pixel − 0\) \/ 255$/m);
    expect(said).toMatch(/^output +scores +int8 +1×3 +0\.015625 +-128 +classes: top, middle, bottom$/m);
    expect(said).toMatch(/^source +thirds\.tflite$/m);
  });

  it("shows control characters of a stranger's model instead of sending them to the terminal", async () => {
    const evil = join(dir, "evil.mote");
    writeFileSync(evil, tinyModel({ header: { name: "\u001b[2J\rgone\u0007" } }));
    expect(await text("inspect", evil)).toMatch(/^model +\ufffd\[2J\ufffdgone\ufffd$/m);
  });

  it("gives a program ports, memory and sections that add up", async () => {
    const said = await json("inspect", thirds);
    expect(said).toMatchObject({
      name: "thirds",
      fileBytes: bytes.length,
      versions: { format: 1, plan: expect.any(Number), numerics: expect.any(Number) },
      inputs: [{ name: "image", dtype: "int8", shape: [1, 8, 8, 1], zeroPoint: -128, meaning: { kind: "image" } }],
      outputs: [{ name: "scores", labels: LABELS }],
      provenance: { source: "thirds.tflite" },
    });
    const sections = said.sections as { readonly name: string; readonly offset: number; readonly bytes: number }[];
    expect(sections.map(({ name }) => name)).toEqual(["preamble", "header", "image", "self-test"]);
    const last = sections.at(-1)!;
    expect(last.offset + last.bytes).toBe(bytes.length);
  });
});

describe("mote explain", () => {
  it("has a row for every step and a map of the arena", async () => {
    const said = await text("explain", thirds);
    expect(said).toMatch(/^ *0 +fullyConnected .* 192 /m);
    expect(said).toMatch(/^arena: [\d,]+ bytes/m);
    expect(said).toMatch(/│.*█.*│/);
    expect(await text("explain", thirds, "--no-arena")).not.toContain("│");
  });

  it("gives a program the steps", async () => {
    const said = await json("explain", thirds);
    expect(said).toMatchObject({ name: "thirds", memoryBytes: 65536, steps: [{ op: "fullyConnected", macs: 192 }] });
  });
});

describe("mote profile", () => {
  it("times every step", async () => {
    const said = await text("profile", thirds, "--runs", "3", "--build", "scalar");
    expect(said).toMatch(/^thirds on the scalar build, fastest of 3 runs$/m);
    expect(said).toMatch(/^ *0 +fullyConnected .* 192 /m);
    expect(said).toMatch(/^total .* 100\.0 % +192 /m);
  });

  it("gives a program numbers, also for inputs of its own", async () => {
    const input = join(dir, "input.bin");
    writeFileSync(input, new Uint8Array(64));
    const said = await json("profile", thirds, "--input", input, "--runs", "2");
    expect(said).toMatchObject({ model: "thirds", build: "simd", runs: 2, steps: [{ index: 0, macs: 192 }] });
    expect(said.ms).toBeGreaterThan(0);
  });
});

describe("mote verify", () => {
  it("passes a sound model on every build", async () => {
    const said = await text("verify", thirds);
    expect(said).toMatch(/^OK +file, checksums and header: [\d.]+ ms$/m);
    expect(said).toMatch(/^OK +self-test on the simd build: [\d.]+ ms$/m);
    expect(said).toMatch(/^OK +self-test on the scalar build: [\d.]+ ms$/m);
    expect(await json("verify", thirds)).toMatchObject({ model: "thirds", ok: true, checks: [{}, {}, {}, {}] });
  });

  it("names a changed byte by its section", async () => {
    const damaged = join(dir, "damaged.mote");
    const copy = Uint8Array.from(readFileSync(thirds));
    copy[copy.length - 1]! ^= 1;
    writeFileSync(damaged, copy);
    const { status, stdout, stderr } = await mote("verify", damaged);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^mote: .*damaged\.mote: .*self-test CRC.*\n$/);
  });

  it("does not pass a model whose outputs are not what it says", async () => {
    const { selfTest, ...content } = tinyContent();
    const wrong = join(dir, "wrong.mote");
    const outputs = selfTest.outputs.map((output) => output.map((byte) => byte ^ 1));
    writeFileSync(wrong, writeModel({ ...content, selfTest: { ...selfTest, outputs } }));
    expect(await mote("verify", wrong)).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringMatching(/^mote: .*wrong\.mote: the self-test on the simd build gave other bytes.*\n$/),
    });
    expect(JSON.parse((await mote("verify", wrong, "--json")).stdout)).toMatchObject({ error: { code: "BAD_MODEL" } });
  });

  it("refuses a truncated model", async () => {
    const cut = join(dir, "cut.mote");
    writeFileSync(cut, tinyModel().subarray(0, 300));
    expect(await mote("verify", cut)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^mote: .*cut\.mote: /),
    });
  });
});
