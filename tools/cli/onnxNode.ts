#!/usr/bin/env node
// `npm run onnx-node -- DIR [--json]`: runs every ONNX node case below DIR through the importer and the core, prints a
// line a case and last {"passed":…, "refused":…, "failed":…}. Exit status 1 where one failed, 2 for bad usage.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CaseResult, runCase, SUITE, type Tolerance } from "./onnxCase.ts";

interface Manifest {
  readonly cases?: readonly { readonly name: string; readonly rtol?: number; readonly atol?: number }[];
}

/** The tolerances that a manifest beside the cases states (its JSON may hold Infinity, as Python writes it); ONNX's own elsewhere. */
function tolerances(folder: string): ReadonlyMap<string, Tolerance> {
  const path = join(folder, "manifest.json");
  if (!existsSync(path)) return new Map();
  const { cases = [] } = JSON.parse(
    readFileSync(path, "utf8").replaceAll(/-?\bInfinity\b|\bNaN\b/g, "null"),
  ) as Manifest;
  return new Map(cases.map(({ name, rtol, atol }) => [name, { rtol: rtol ?? SUITE.rtol, atol: atol ?? SUITE.atol }]));
}

/** The cases of a folder: itself, or the folders in it. */
function casesIn(folder: string): string[] {
  if (existsSync(join(folder, "model.onnx"))) return [folder];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, "model.onnx")))
    .map((entry) => join(folder, entry.name))
    .sort();
}

async function main(args: readonly string[]): Promise<number> {
  const json = args.includes("--json");
  const [folder, ...more] = args.filter((arg) => !arg.startsWith("--"));
  if (
    folder === undefined ||
    more.length > 0 ||
    args.some((arg) => arg.startsWith("--") && arg !== "--json") ||
    !existsSync(folder)
  ) {
    console.error("usage: npm run onnx-node -- DIR [--json]   (DIR holds folders with model.onnx and test_data_set_0)");
    return 2;
  }
  const cases = casesIn(folder);
  if (cases.length === 0) {
    console.error(`${folder} holds no ONNX node case: no folder with a model.onnx.`);
    return 2;
  }
  const stated = tolerances(folder);
  const counts: Record<CaseResult["outcome"], number> = { passed: 0, refused: 0, failed: 0 };
  for (const path of cases) {
    const name = path.split(/[/\\]/).at(-1)!;
    const result = await runCase(path, stated.get(name) ?? SUITE, "simd");
    counts[result.outcome]++;
    const { outcome, detail, operators, opset, precision } = result;
    console.log(
      json
        ? JSON.stringify({ case: name, outcome, detail, operators, opset, precision })
        : `${outcome.padEnd(8)} ${name}: ${detail}`,
    );
  }
  console.log(JSON.stringify(counts));
  return counts.failed > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
