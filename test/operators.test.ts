// One operator, one name, in its places: the graph's, the tools', the core's, its test's and the README's.
// Invariant: what is missing is named, file by file.
import { describe, expect, it } from "vitest";
import { operatorNames } from "../tools/ops/registry.ts";
import { files, read } from "./support/sources.ts";

/** Names declared in `text` directly inside the braces that follow `opening`, by `member`. */
function members(text: string, opening: string, member: RegExp): string[] {
  const start = text.indexOf(opening);
  const body = text.slice(start, text.indexOf("\n}", start));
  return [...body.matchAll(member)].map((match) => match[1]!);
}

const missing = (paths: readonly string[]): string[] => paths.filter((path) => !files.includes(path));

describe("a step of the core", () => {
  const steps = members(read("assembly/abi.ts"), "export const enum Op {", /^ {2}(\w+) = \d+/gm);
  const lower = (name: string): string => name[0]!.toLowerCase() + name.slice(1);

  it("has its file", () => {
    expect(steps.length).toBeGreaterThan(10);
    expect(missing(steps.map((name) => `assembly/ops/${lower(name)}.ts`))).toEqual([]);
  });

  it("is checked and run by assembly/execute.ts, floatSteps.ts or sequenceSteps.ts", () => {
    const text = ["execute", "floatSteps", "sequenceSteps"].map((name) => read(`assembly/${name}.ts`)).join();
    const wired = (name: string): boolean =>
      ["check", "run"].every((verb) => new RegExp(`case Op\\.${name}:\\s+[^:]*?${verb}${name}\\(`).test(text));
    expect(steps.filter((name) => !wired(name))).toEqual([]);
  });
});

describe("an operator of the tools", () => {
  const attributes = members(read("tools/graph/graph.ts"), "export interface Attributes {", /^ {2}(\w+): /gm);

  it("is one that the graph knows, and the other way round", () => {
    expect(attributes.length).toBeGreaterThan(20);
    expect([...operatorNames].sort()).toEqual(attributes.sort());
  });

  it("has its file and its test", () => {
    expect(missing(attributes.flatMap((name) => [`tools/ops/${name}.ts`, `test/ops/${name}.test.ts`]))).toEqual([]);
  });

  it("is in the README's table", () => {
    const rows =
      read("README.md")
        .match(/^\| `.*$/gm)
        ?.join("\n") ?? "";
    expect(attributes.filter((name) => !rows.includes(`\`${name}\``))).toEqual([]);
  });
});
