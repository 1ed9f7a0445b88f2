// What an input stands for: the guess from its quantization, and the words of --meaning.
import { describe, expect, it } from "vitest";
import { meaningsOf } from "../../tools/cli/meanings.ts";
import type { DType, Graph } from "../../tools/graph/graph.ts";
import { activation } from "../support/graphs.ts";

const graph = (
  shape: readonly number[],
  scale: number,
  zeroPoint: number,
  dtype: DType = "int8",
  inputs = 1,
): Graph => ({
  name: "g",
  tensors: Array.from({ length: inputs }, (_, i) => activation(`in${i}`, shape, scale, zeroPoint, dtype)),
  nodes: [],
  inputs: Array.from({ length: inputs }, (_, i) => i),
  outputs: [],
});

describe("a guess", () => {
  const shape = [1, 96, 96, 3];
  it.each([
    ["1/255", 1 / 255, -128, "int8", 0, 255],
    ["1/255 uint8", 1 / 255, 0, "uint8", 0, 255],
    ["1/127.5", 1 / 127.5, -1, "int8", 127.5, 127.5],
    ["1/127.5, the other zero point", 1 / 127.5, 0, "int8", 127.5, 127.5],
    ["1/128 uint8", 1 / 128, 128, "uint8", 127.5, 127.5],
    ["1", 1, -128, "int8", 0, 1],
    ["1 uint8", 1, 0, "uint8", 0, 1],
  ] as const)("is made for scale %s", (_, scale, zeroPoint, dtype, mean, std) => {
    const meaning = { kind: "image", mean, std };
    expect(meaningsOf(graph(shape, scale, zeroPoint, dtype), [])).toEqual({
      meanings: { in0: meaning },
      guessed: [{ input: "in0", meaning }],
    });
  });

  it.each([
    ["an unusual scale", graph(shape, 0.02, -128)],
    ["another zero point", graph(shape, 1 / 255, 0)],
    ["the range of another dtype", graph(shape, 1 / 255, -128, "uint8")],
    ["two channels", graph([1, 96, 96, 2], 1 / 255, -128)],
    ["a tiny picture", graph([1, 7, 8, 1], 1 / 255, -128)],
    ["a batch", graph([2, 8, 8, 1], 1 / 255, -128)],
    ["a vector", graph([1, 640], 1 / 255, -128)],
    ["int16", graph(shape, 1 / 255, 0, "int16")],
  ])("is not made for %s", (_, given) => {
    expect(meaningsOf(given, [])).toEqual({ meanings: {}, guessed: [{ input: "in0", meaning: "none" }] });
  });

  it("is not made for one of several inputs", () => {
    expect(meaningsOf(graph(shape, 1 / 255, -128, "int8", 2), [])).toEqual({ meanings: {}, guessed: [] });
  });
});

describe("--meaning", () => {
  const two = graph([1, 8, 8, 1], 1, 0, "int8", 2);
  it("is taken for the input it names, also one with = in its name", () => {
    const odd = { ...two, tensors: [activation("a=b:0", [1, 8, 8, 1], 1, 0), two.tensors[1]!] };
    expect(meaningsOf(odd, ["a=b:0=image:1,2", "in1=audio:16000:32768"]).meanings).toEqual({
      "a=b:0": { kind: "image", mean: 1, std: 2 },
      in1: { kind: "audio", sampleRate: 16000, gain: 32768 },
    });
  });

  it.each([
    "",
    "pictures",
    "image:1",
    "image:1,0",
    "image:a,b",
    "image:1,2,3",
    "image:,",
    "image:Infinity,1",
    "audio",
    "audio:0",
    "audio:-8000",
    "audio:8000.5",
    "none:1",
  ])("refuses %j as bad usage", (text) => {
    expect(() => meaningsOf(two, [`in0=${text}`])).toThrow(
      expect.objectContaining({ name: "ToolError", code: "USAGE" }),
    );
  });

  it("must name the input where there are several", () => {
    expect(() => meaningsOf(two, ["image"])).toThrow(/must start with an input's name and "=": one of "in0", "in1"/);
  });
});
