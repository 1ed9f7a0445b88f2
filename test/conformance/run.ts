// `npm run conformance`: every vector on every engine and build that is installed, each output byte compared.
//   --json         one line of JSON last: { rows: [{ engine, version, build, model, equal }] }
//   --quick        only the engines that `.ci/run` installs
//   --only TEXT    only engines whose name contains TEXT
//   --write        write docs/conformance.md
// Invariant: exit status 0 only when every row is equal and at least one was run.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../support/sources.ts";
import type { Build, Engine, Report } from "./engine.ts";
import { matrix, type Result } from "./matrix.ts";
import { SCRIPT_ENGINES } from "./scriptEngines.ts";
import { gatherVectors, type VectorSet } from "./vectors.ts";
import { WASI_ENGINES } from "./wasiEngines.ts";

const words = process.argv.slice(2);
const only = words.includes("--only") ? words[words.indexOf("--only") + 1]! : "";
const json = words.includes("--json");
const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function runOne(engine: Engine, build: Build, set: VectorSet): Promise<Result> {
  const started = performance.now();
  let report: Report;
  try {
    report = await engine.run(build, set);
  } catch (error) {
    say(`${engine.name}, ${build}: ${error instanceof Error ? error.message : error}`);
    report = { version: "unknown", outcomes: set.names.map((model) => ({ model, equal: false })) };
  }
  const wrong = report.outcomes.filter(({ equal }) => !equal);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const detail =
    wrong.length > 0
      ? `, not: ${wrong
          .map(({ model }) => model)
          .slice(0, 8)
          .join(", ")}`
      : "";
  const right = report.outcomes.length - wrong.length;
  const refused = report.refusedFor ? `, refused for ${report.refusedFor}` : "";
  say(
    `${engine.name} ${report.version}, ${build}${refused}: ${right} of ${report.outcomes.length} equal (${seconds} s)${detail}`,
  );
  return { engine: engine.name, build, report };
}

const set = gatherVectors();
say(`${set.names.length} models`);
const results: Result[] = [];
const skipped: string[] = [];
for (const engine of [...SCRIPT_ENGINES, ...WASI_ENGINES]) {
  if (!engine.name.toLowerCase().includes(only.toLowerCase()) || (words.includes("--quick") && !engine.quick)) continue;
  const reason = engine.absent();
  if (reason !== undefined) {
    skipped.push(`${engine.name}: ${reason}`);
    continue;
  }
  for (const build of engine.builds) results.push(await runOne(engine, build, set));
}
for (const each of skipped) say(`skipped: ${each}`);
const text = matrix(results, set);
if (words.includes("--write")) writeFileSync(join(root, "docs/conformance.md"), text);
if (json) {
  const rows = results.flatMap(({ engine, build, report }) =>
    report.outcomes.map(({ model, equal }) => ({
      engine,
      version: report.version,
      build: report.refusedFor ?? build,
      model,
      equal,
    })),
  );
  process.stdout.write(`${JSON.stringify({ rows })}\n`);
} else process.stdout.write(text);
const allEqual = results.every(
  ({ report }) => report.outcomes.length > 0 && report.outcomes.every(({ equal }) => equal),
);
process.exitCode = allEqual && results.length > 0 ? 0 : 1;
