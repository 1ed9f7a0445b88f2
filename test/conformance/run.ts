// `npm run conformance`: every vector on every engine and build that is installed, each output byte compared.
//   --json         one line of JSON last: { rows: [{ engine, version, build, model, equal }] }
//   --quick        only the engines that `.ci/run` installs
//   --only TEXT    only engines whose name contains TEXT
//   --resume       take the rows of a run that was interrupted, if nothing was built or changed since
//   --write        write docs/conformance.md; all of it is of this run, and those before it that it resumes
// Invariant: exit status 0 only when every row is equal and at least one was run.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ENGINES } from "../engines/find.ts";
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
/** The rows so far, of the modules and vectors that `stamp` names. */
const KEPT = join(ENGINES, "conformance.json");

/** Of all that a row depends on but the engine itself. */
function stamp(set: VectorSet): string {
  const hash = createHash("sha256").update(readFileSync(join(set.folder, "blob.bin")));
  for (const folder of ["dist/core", "dist/wasi"])
    for (const name of readdirSync(join(root, folder)).sort()) hash.update(readFileSync(join(root, folder, name)));
  return hash.update(readFileSync(join(root, "dist/host/index.bundle.js"))).digest("hex");
}

const isEqual = ({ report: { outcomes } }: Result): boolean =>
  outcomes.length > 0 && outcomes.every(({ equal }) => equal);

function resumed(now: string): Result[] {
  if (!words.includes("--resume") || !existsSync(KEPT)) return [];
  const kept = JSON.parse(readFileSync(KEPT, "utf8")) as { stamp: string; results: Result[] };
  return kept.stamp === now ? kept.results.filter(isEqual) : [];
}

async function runOne(engine: Engine, build: Build, set: VectorSet, place: string): Promise<Result> {
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
  const result = `${right} of ${report.outcomes.length} equal (${seconds} s)${detail}`;
  say(`${place} ${engine.name} ${report.version}, ${build}${refused}: ${result}`);
  return { engine: engine.name, build, report };
}

const set = await gatherVectors();
say(`${set.names.length} models`);
const now = stamp(set);
const before = resumed(now);
const results: Result[] = [];
const skipped: string[] = [];
const engines = [...SCRIPT_ENGINES, ...WASI_ENGINES].filter(
  ({ name, quick }) => name.toLowerCase().includes(only.toLowerCase()) && (quick || !words.includes("--quick")),
);
const rows = engines.flatMap((engine) => {
  const reason = engine.absent();
  if (reason !== undefined) skipped.push(`${engine.name}: ${reason}`);
  return reason === undefined ? engine.builds.map((build) => ({ engine, build })) : [];
});
for (const [i, { engine, build }] of rows.entries()) {
  const done = before.find((each) => each.engine === engine.name && each.build === build);
  results.push(done ?? (await runOne(engine, build, set, `${i + 1}/${rows.length}`)));
  writeFileSync(KEPT, JSON.stringify({ stamp: now, results }));
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
process.exitCode = results.every(isEqual) && results.length > 0 ? 0 : 1;
