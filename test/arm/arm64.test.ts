// The core on arm64: `load` picks that machine's inner loops, and models give the bytes that they give here.
// Invariant: runs the built host and cores in a Node of that architecture, emulated; times would mean nothing.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { importModel } from "../../tools/import/index.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { parseWeights } from "../../tools/quantize/precision.ts";
import { recodeWeights } from "../../tools/quantize/weights.ts";
import { ARM64_ABSENT, arm64Node } from "../support/arm64.ts";
import { sharedData } from "../support/sharedData.ts";

const GUEST = fileURLToPath(new URL("guest.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "mote-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Report {
  readonly arch: string;
  readonly narrow: number;
  readonly chosen: string;
  readonly outputs: Readonly<Record<string, Readonly<Record<string, readonly (string | boolean)[]>>>>;
}

/** Our own model, and two of the field where the shared data is. */
function models(): string[] {
  const paths = [fileURLToPath(new URL("../../models/digits/digits.mote", import.meta.url))];
  for (const name of ["kws_ref_model", "pretrainedResnet_quant"]) {
    const file = join(sharedData ?? folder, "models", `${name}.tflite`);
    if (!existsSync(file)) continue;
    const sourceBytes = new Uint8Array(readFileSync(file));
    const path = join(folder, `${name}.mote`);
    const graph = importModel(sourceBytes, file);
    writeFileSync(path, packGraph(graph, { source: name, sourceBytes }).bytes);
    const seven = join(folder, `${name}.int7.mote`);
    const rules = { default: parseWeights("int7", "test"), layers: [] };
    writeFileSync(seven, packGraph(recodeWeights(graph, rules), { source: name, sourceBytes }).bytes);
    paths.push(path, seven);
  }
  return paths;
}

const runOn = (node: readonly string[], paths: readonly string[]): Report =>
  JSON.parse(execFileSync(node[0]!, [...node.slice(1), GUEST, ...paths], { encoding: "utf8" }));

describe("the choice of inner loops", () => {
  it("is dot_i16x8 on x86 and the narrow ones elsewhere", () => {
    const { arch, narrow } = runOn([process.execPath], []);
    expect(narrow).toBe(arch === "x64" || arch === "ia32" ? 0 : 1);
  });
});

describe("arm64", () => {
  it("picks its own inner loops and gives the same bytes", ({ skip }) => {
    if (!arm64Node) return skip(ARM64_ABSENT);
    const paths = models();
    const here = runOn([process.execPath], paths);
    const there = runOn(arm64Node, paths);
    expect(there.arch).toBe("arm64");
    expect(there.narrow).toBe(1);
    // by the clock, which an emulator's tells nothing of; whatever it is, the bytes are the same
    expect(["relaxed", "simd"]).toContain(there.chosen);
    for (const [path, builds] of Object.entries(there.outputs)) {
      expect(Object.keys(builds)).toEqual(["relaxed", "simd", "scalar"]);
      for (const outputs of Object.values(builds)) expect(outputs).toEqual(here.outputs[path]!.simd);
    }
    for (const builds of Object.values(there.outputs)) {
      for (const [selfTest] of Object.values(builds)) expect(selfTest).toBe(true);
    }
  });
});
