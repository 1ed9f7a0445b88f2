// The keyword spotter whole: imported with its front end, fed recordings by the command, and a live stream of samples.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readWav } from "../../tools/data/wav.ts";
import { describeShared } from "../support/shared.ts";
import { folder, mote } from "./command.ts";

const dir = folder();
const labels = join(dir, "words.txt");
writeFileSync(labels, "down go left no off on right stop up yes silence unknown".replaceAll(" ", "\n"));

describeShared("a keyword spotter", (data) => {
  const kws = join(data, "models/kws_ref_model.tflite");

  it.each([
    ["yes", "yes_1000ms"],
    // a "no" to a person; the published net takes it for "go" by its own golden outputs (case "no"), and so does this one
    ["go", "no_1000ms"],
    ["unknown", "marvin_617de221_0"],
  ])("hears %s in a WAV file", async (word, file) => {
    const model = join(dir, "spotter.mote");
    expect((await mote("import", kws, "-o", model, "--front-end", "kws", "--labels", labels)).status).toBe(0);
    const { stdout } = await mote("run", model, "--input", join(data, `media/${file}.wav`), "--json");
    const [output] = (JSON.parse(stdout) as { outputs: { top: { label: string }[] }[] }).outputs;
    expect(output!.top[0]!.label).toBe(word);
    expect((await mote("explain", model)).stdout).toMatch(/spectrum +MFCC, 480\/320 samples, FFT of 512/);
  });

  it("says the words of a live stream, once each", async () => {
    const model = join(dir, "live.mote");
    const made = await mote("import", kws, "-o", model, "--front-end", "kws", "--stream", "4000", "--labels", labels);
    expect(made.status).toBe(0);
    const silence = new Float32Array(20000);
    const sounds = ["yes_1000ms", "no_1000ms"].map(
      (file) => readWav(readFileSync(join(data, `media/${file}.wav`)), file).samples,
    );
    const stream = [silence, sounds[0]!, silence, sounds[1]!, silence].flatMap((part) => Array.from(part));
    const bytes = Buffer.from(Int16Array.from(stream, (x) => Math.round(x * 32767)).buffer);
    const script = fileURLToPath(new URL("../../examples/spotter/spotter.mjs", import.meta.url));
    const heard = execFileSync(process.execPath, [script, model], { input: bytes, encoding: "utf8" });
    expect(heard.trim().split("\n")).toEqual(["yes", "go"]);
  });
});

describe("mote import", () => {
  it("refuses a front end it does not know, and rows that are none", async () => {
    const kws = join(dir, "none.tflite");
    writeFileSync(kws, "");
    const { status, stderr } = await mote("import", kws, "-o", join(dir, "x.mote"), "--stream", "0");
    expect(status).toBe(2);
    expect(stderr).toMatch(/whole number of rows, 1 or more/);
  });
});
