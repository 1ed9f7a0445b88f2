// The text of --weights and the rules of a JSON file: each has one meaning or is refused with a typed error.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ToolError } from "../../tools/errors.ts";
import { parseWeights } from "../../tools/quantize/precision.ts";
import { choose, parseRules } from "../../tools/quantize/rules.ts";

describe("a choice of weights", () => {
  it.each([
    ["int8", { kind: "int8" }],
    ["int7", { kind: "int7" }],
    ["keep", { kind: "keep" }],
    ["int4", { kind: "int4", asymmetric: false }],
    ["int4:asym", { kind: "int4", asymmetric: true }],
    ["int4:g32", { kind: "int4", groupSize: 32, asymmetric: false }],
    ["int4:asym:g128", { kind: "int4", groupSize: 128, asymmetric: true }],
    ["codebook", { kind: "codebook", bits: 7 }],
    ["codebook:5", { kind: "codebook", bits: 5 }],
    ["binary", { kind: "binary" }],
    ["ternary", { kind: "ternary" }],
  ])("%s", (text, meaning) => {
    expect(parseWeights(text, "--weights")).toEqual(meaning);
  });

  it.each(["", "int3", "int8:g32", "int4:g33", "int4:g32:g64", "codebook:8", "binary:asym", "int4:", "constructor"])(
    "refuses %j",
    (text) => {
      expect(() => parseWeights(text, "--weights")).toThrow(
        `--weights is "${text}", expected keep, int8, int7, int4 (with :g32`,
      );
    },
  );
});

describe("a file of rules", () => {
  const names = ["conv_1", "conv_2", "dw.3", "dense"];
  const kinds = (text: string): string[] =>
    [...choose(parseRules(text, "rules.json"), names).values()].map(({ kind }) => kind);

  it("gives each layer the first rule that matches its name, by pattern or expression", () => {
    const layers = [
      { match: "conv_?", weights: "int4" },
      { match: "/^dw\\.\\d$/", weights: "ternary" },
      { match: "*", weights: "codebook" },
    ];
    expect(kinds(JSON.stringify({ default: "binary", layers }))).toEqual(["int4", "int4", "ternary", "codebook"]);
  });

  it("keeps what no rule names", () => {
    expect(kinds('{"layers": [{"match": "dense", "weights": "int8"}]}')).toEqual(["keep", "keep", "keep", "int8"]);
    expect(kinds('{"default": "int4"}')).toEqual(["int4", "int4", "int4", "int4"]);
  });

  it("takes the other signs of a pattern as they are", () => {
    expect(() => kinds('{"layers": [{"match": "dw?4", "weights": "int8"}]}')).toThrow(
      'the rule "dw?4" matches no layer with weights',
    );
    expect(kinds('{"layers": [{"match": "dw.3", "weights": "int8"}]}')).toEqual(["keep", "keep", "int8", "keep"]);
    expect(() => kinds('{"layers": [{"match": "conv.1", "weights": "int8"}]}')).toThrow("matches no layer");
  });

  it.each([
    ["{", "is not JSON"],
    ["[]", "holds no JSON object"],
    ['{"layer": []}', 'has a field "layer", expected "default" and "layers"'],
    ['{"default": 4}', 'has a "default" that is no text'],
    ['{"layers": {}}', 'has "layers" that are no list'],
    ['{"layers": [{"match": "a"}]}', "has a rule 1 that is not"],
    ['{"layers": [{"match": "a", "weights": "int4", "more": 1}]}', "has a rule 1 that is not"],
    ['{"layers": [{"match": "/(/", "weights": "int4"}]}', "has a rule 1 with a bad expression /(/"],
    ['{"layers": [{"match": "a", "weights": "int5"}]}', '"weights" of rule 1 in rules.json is "int5"'],
    ['{"default": "int5"}', '"default" in rules.json is "int5"'],
  ])("refuses %s", (text, message) => {
    expect(() => parseRules(text, "rules.json")).toThrow(message);
  });

  it("answers any text with rules or a ToolError", () => {
    const rule = fc.record({ match: fc.string(), weights: fc.oneof(fc.string(), fc.constant("int4")) });
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.array(rule).map((layers) => JSON.stringify({ layers })),
    );
    fc.assert(
      fc.property(text, (json) => {
        try {
          choose(parseRules(json, "rules.json"), names);
        } catch (error) {
          expect(error).toBeInstanceOf(ToolError);
        }
      }),
      { numRuns: 500, seed: 5 },
    );
  });
});
