// docs/zoo.md from what the zoo's runs have left. Invariant: nothing but what .zoo holds; no dates, no machine.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { metrics } from "../../tools/train/index.ts";
import type { Result } from "./run.ts";
import { VARIANTS } from "./variants.ts";

const ROWS: readonly (readonly [name: string, what: string])[] = [
  ["float", "float, by the training engine"],
  ...VARIANTS.map(({ name, what }) => [name, what] as const),
  ["mixed", "int8 and fewer bits by layer, searched at 60 % of int8's bytes, rounded"],
  ["student-alone", "`student.ts`, 4,310 parameters, int8, alone"],
  ["student-distilled", "the same, taught by the float CNN"],
];

export function zooTable(folder: string): string {
  const seeds = readdirSync(folder).filter((name) => name.startsWith("seed"));
  const of = (name: string): { seed: string; result: Result }[] =>
    seeds
      .map((seed) => ({ seed, path: join(folder, seed, `${name}.json`) }))
      .filter(({ path }) => existsSync(path))
      .map(({ seed, path }) => ({ seed, result: JSON.parse(readFileSync(path, "utf8")) as Result }));
  const float = new Map(of("float").map(({ seed, result }) => [seed, result.accuracy]));
  const rows = ROWS.flatMap(([name, what]) => {
    const found = of(name);
    if (found.length === 0) return [];
    const percent = found.map(({ result }) => result.accuracy * 100);
    const lost = found.map(({ seed, result }) => (float.get(seed)! - result.accuracy) * 100);
    const { mean, deviation } = metrics.meanAndDeviation(percent);
    const bytes = found.map(({ result }) => result.bytes).filter((count) => count !== undefined);
    const size = bytes.length > 0 ? Math.round(metrics.meanAndDeviation(bytes).mean).toLocaleString("en") : "–";
    return [
      [
        `\`${name}\``,
        what,
        `${mean.toFixed(2)} % ± ${deviation.toFixed(2)}`,
        name === "float" ? "–" : metrics.meanAndDeviation(lost).mean.toFixed(2),
        size,
        String(found.length),
      ],
    ];
  });
  const lines = [["model", "weights", "accuracy", "points lost", "`.mote` bytes", "seeds"], ...rows];
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const text = (line: readonly string[]): string =>
    `| ${line.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`;
  const rule = `| ${widths.map((width, i) => (i < 2 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return `# The zoo

Made by \`npm run zoo\` (models/zoo), which keeps weights and models in \`.zoo\`. The net is \`models/mnist/cnn.ts\`, judged on 2,000
held-out digits: each packed model by the core, mean ± deviation over seeds; points lost against the float net of the same seed.

${[text(lines[0]!), rule, ...rows.map(text)].join("\n")}
`;
}
