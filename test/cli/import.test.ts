// `mote import`: what is written, what is said, and that a failure leaves the old file as it was.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readModel } from "../../host/format/reader.ts";
import {
  ActivationFunctionType,
  BuiltinOperator,
  BuiltinOptions,
  FullyConnectedOptions,
  FullyConnectedOptionsWeightsFormat,
  TensorType,
} from "../../tools/import/tflite/generated/tflite.ts";
import { describeShared } from "../support/shared.ts";
import { oneOperator, type TensorSpec } from "../support/tfliteBuilder.ts";
import { folder, mote } from "./command.ts";

const dir = folder();
const write = (name: string, bytes: Uint8Array | string): string => {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
};

const PIXELS: TensorSpec = { name: "image", shape: [1, 8, 8, 1], scale: 1 / 255, zeroPoint: -128 };

function tflite(input: TensorSpec = PIXELS, outputType = TensorType.INT8): Uint8Array {
  return oneOperator(
    BuiltinOperator.FULLY_CONNECTED,
    [input, { shape: [3, 64], data: new Int8Array(192).fill(3), scale: 0.01 }],
    [{ name: "scores", shape: [1, 3], type: outputType, scale: 1 / 64 }],
    [
      BuiltinOptions.FullyConnectedOptions,
      (b) => {
        const plain = FullyConnectedOptionsWeightsFormat.DEFAULT;
        return FullyConnectedOptions.createFullyConnectedOptions(b, ActivationFunctionType.NONE, plain, false, false);
      },
    ],
  );
}

const source = write("three.tflite", tflite());
const labels = write("labels.txt", "one\r\ntwo words\nthree\n\n");
const two = write("two.txt", "one\ntwo\n");

describe("mote import", () => {
  it("writes a model that every command takes, and says what it did", async () => {
    const out = join(dir, "three.mote");
    const { status, stdout, stderr } = await mote("import", source, "-o", out, "--labels", labels, "--name", "trio");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^model +trio$/m);
    expect(stdout).toMatch(/^operators +fullyConnected \(1 steps\)$/m);
    expect(stdout).toMatch(/^work +192 MACs a run$/m);
    expect(stdout).toMatch(/^size +[\d,]+ bytes in, [\d,]+ bytes out$/m);
    expect(stdout).toMatch(/^meaning +guessed for input "image": image, real = \(pixel − 0\) \/ 255; /m);
    expect(stdout).toMatch(/^OK +self-test on the simd build$/m);
    expect(stdout).toMatch(/^OK +self-test on the scalar build$/m);
    expect(stderr.split("\n").map((line) => line.split(" ")[0])).toEqual([
      "reading",
      "importing",
      "packing",
      "self-test",
      "self-test",
      "self-test",
      "writing",
      "",
    ]);
    const { header } = readModel(readFileSync(out));
    expect(header).toMatchObject({
      name: "trio",
      inputs: [{ name: "image", meaning: { kind: "image", mean: 0, std: 255 } }],
      outputs: [{ name: "scores", labels: ["one", "two words", "three"] }],
      provenance: { source: "three.tflite" },
    });
    expect(await mote("verify", out)).toMatchObject({ status: 0 });
  });

  it("gives the same bytes again, and a summary for a program", async () => {
    const [a, b] = [join(dir, "a.mote"), join(dir, "b.mote")];
    const [first] = await Promise.all([a, b].map((out) => mote("import", source, "-o", out, "--json")));
    expect(readFileSync(a).equals(readFileSync(b))).toBe(true);
    expect(JSON.parse(first!.stdout)).toMatchObject({
      model: "three",
      file: a,
      operators: { fullyConnected: 1 },
      steps: 1,
      macs: 192,
      bytesIn: readFileSync(source).length,
      bytesOut: readFileSync(a).length,
      memoryBytes: 65536,
      guessed: [{ input: "image", meaning: { kind: "image", mean: 0, std: 255 } }],
    });
  });

  it("keeps to a memory budget or says what the model needs", async () => {
    const out = join(dir, "budget.mote");
    expect((await mote("import", source, "-o", out, "--max-memory", "100000")).status).toBe(0);
    const tight = await mote("import", source, "-o", join(dir, "tight.mote"), "--max-memory", "500");
    expect(tight.status).toBe(1);
    expect(tight.stderr).toMatch(/^mote: the model needs \d+ bytes of memory but at most 500 are allowed/m);
    expect(existsSync(join(dir, "tight.mote"))).toBe(false);
    expect((await mote("import", source, "-o", out, "--max-memory", "1 MB")).status).toBe(2);
  });

  it("takes meanings as given, and guesses none where the quantization does not say", async () => {
    const out = join(dir, "meaning.mote");
    const meaning = async (path: string, ...given: readonly string[]): Promise<unknown> => {
      expect(await mote("import", path, "-o", out, ...given)).toMatchObject({ status: 0 });
      return readModel(readFileSync(out)).header.inputs[0]!.meaning;
    };
    expect(await meaning(source, "--meaning", "none")).toBeUndefined();
    expect(await meaning(source, "--meaning", "image:10,20")).toEqual({ kind: "image", mean: 10, std: 20 });
    expect(await meaning(source, "--meaning", "image=audio:8000:2")).toEqual({
      kind: "audio",
      sampleRate: 8000,
      gain: 2,
    });
    expect(await meaning(write("odd.tflite", tflite({ ...PIXELS, scale: 0.02, zeroPoint: 3 })))).toBeUndefined();
    expect(await meaning(write("raw.tflite", tflite({ ...PIXELS, scale: 1 })))).toEqual({
      kind: "image",
      mean: 0,
      std: 1,
    });
  });
});

describe("mote import fails", () => {
  const old = write("old.mote", "the old file");

  it.each([
    [
      "a file that is none",
      write("text.tflite", "hello"),
      [],
      1,
      /text\.tflite starts with 68 65 6c 6c 6f, expected a TFLite/,
    ],
    ["no file", join(dir, "no.tflite"), [], 1, /no\.tflite cannot be read: there is no such file or folder\./],
    [
      "labels of another count",
      source,
      ["--labels", two],
      1,
      /two\.txt must have one line a class, 3 for this model, got 2\./,
    ],
    ["labels that are no text", source, ["--labels", source], 1, /three\.tflite must be UTF-8 text/],
    ["an unknown meaning", source, ["--meaning", "video"], 2, /--meaning "video" must end in image, image:MEAN,STD,/],
    [
      "an unknown input",
      source,
      ["--meaning", "x=image"],
      2,
      /--meaning "x=image" names no input: the model has "image"\./,
    ],
    [
      "a meaning that the shape cannot hold",
      write("flat.tflite", tflite({ ...PIXELS, shape: [1, 64] })),
      ["--meaning", "image"],
      1,
      /Input "image" of shape 1×64 cannot be a picture/,
    ],
  ])("%s, and leaves the old file alone", async (_, path, more, status, message) => {
    const before = readdirSync(dir);
    const got = await mote("import", path, "-o", old, ...more);
    expect(got).toMatchObject({ status, stdout: "" });
    expect(got.stderr).toMatch(message);
    expect(got.stderr).toMatch(/^(reading|importing).*\n(.*\n)?mote: [^\n]*\n$/);
    expect(readFileSync(old, "utf8")).toBe("the old file");
    expect(readdirSync(dir)).toEqual(before);
  });

  it("where it would write over the model itself", async () => {
    const got = await mote("import", source, "-o", source);
    expect(got).toMatchObject({ status: 2, stdout: "", stderr: expect.stringMatching(/is the model itself/) });
    expect(readFileSync(source)).toEqual(Buffer.from(tflite()));
  });

  it("where the output cannot be written, and leaves nothing behind", async () => {
    const taken = join(dir, "taken.mote");
    mkdirSync(taken);
    expect(await mote("import", source, "-o", taken)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/taken\.mote cannot be written: it is a folder\.\n$/),
    });
    expect(readdirSync(dir).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    const nowhere = join(dir, "no", "where.mote");
    expect(await mote("import", source, "-o", nowhere)).toMatchObject({ status: 1, stdout: "" });
    expect(existsSync(join(dir, "no"))).toBe(false);
  });
});

describeShared("mote import of published models", (data) => {
  it.each([
    ["person_detect", { kind: "image", mean: 127.5, std: 127.5 }],
    ["pretrainedResnet_quant", { kind: "image", mean: 0, std: 1 }],
    ["vww_96_int8", { kind: "image", mean: 0, std: 255 }],
    ["kws_ref_model", "none"],
  ])("%s: guesses what its input stands for", async (model, meaning) => {
    const out = join(dir, `${model}.mote`);
    const { status, stdout } = await mote("import", join(data, "models", `${model}.tflite`), "-o", out, "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ model, file: out, guessed: [{ meaning }], checks: [{}, {}, {}] });
  });
});
