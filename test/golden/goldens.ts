// The golden cases of ../shared/data: a model, its inputs, and what each reference engine gave.
// Invariant: reads only; bytes are raw little-endian in the model's own dtypes.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface GoldenCase {
  readonly name: string;
  readonly inputs: readonly Uint8Array[];
  /** engine → the bytes of each output */
  readonly outputs: readonly Readonly<Record<string, Uint8Array>>[];
}

interface CaseFile {
  readonly case: string;
  readonly inputs: readonly (string | { readonly file: string })[];
  readonly outputs: readonly { readonly files: Readonly<Record<string, string>> }[];
}

function readCase(folder: string, file: CaseFile): GoldenCase {
  const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
  return {
    name: file.case,
    inputs: file.inputs.map((input) => read(typeof input === "string" ? input : input.file)),
    outputs: file.outputs.map(({ files }) =>
      Object.fromEntries(Object.entries(files).map(([engine, name]) => [engine, read(name)])),
    ),
  };
}

/** data/cases/<model>/<case>/case.json */
export function modelCases(data: string, model: string): GoldenCase[] {
  const root = join(data, "cases", model);
  return readdirSync(root)
    .sort()
    .map((name) => readCase(join(root, name), JSON.parse(readFileSync(join(root, name, "case.json"), "utf8"))));
}

/** data/<set>/<name>/case.json, which lists its cases beside model.tflite */
export function setCases(data: string, set: string, name: string): GoldenCase[] {
  const folder = join(data, set, name);
  const { cases } = JSON.parse(readFileSync(join(folder, "case.json"), "utf8")) as { cases: CaseFile[] };
  return cases.map((file) => readCase(folder, file));
}
