// The results of a run of the suite as a page: docs/conformance.md.
import type { Build, Report } from "./engine.ts";
import type { VectorSet } from "./vectors.ts";

export interface Result {
  readonly engine: string;
  readonly build: Build;
  readonly report: Report;
}

const percent = (ratio: number): string => (ratio >= 0.1 ? ratio.toFixed(2) : ratio.toPrecision(2));

export function matrix(results: readonly Result[], set: VectorSet): string {
  const reference = results.find(({ engine, build }) => /^Node \d+$/.test(engine) && build === "simd")?.report.ms;
  const rows = results.map(({ engine, build, report }) => {
    const { version, outcomes, ms, refusedFor } = report;
    const right = outcomes.filter(({ equal }) => equal).length;
    const ran = refusedFor ?? build;
    const cells = [
      engine,
      version,
      refusedFor ? `${build}, refused: ${refusedFor}` : build,
      ran === "scalar" ? "no" : "yes",
      ran === "relaxed" ? "yes" : "no",
      right === outcomes.length ? `${right} of ${outcomes.length} equal` : `**${outcomes.length - right} differ**`,
      ms === undefined ? "–" : ms.toPrecision(3),
      ms === undefined || reference === undefined ? "–" : percent(reference / ms),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return `# Every engine gives the same bytes

\`npm run conformance -- --write\` makes this page: ${set.names.length} models with inputs, and where they keep one a state, on each
engine and build that is installed; every byte of every output is compared with the integer reference's or XNNPACK's. The models
hold every operator with every kernel; test/conformance/vectors.ts says where they are from. ms is one run of ${set.timed ?? "nothing"},
speed is relative to the first Node's simd build (1 = as fast); an emulated processor has none.

| engine | version | build | SIMD | relaxed | result | ms | speed |
| --- | --- | --- | --- | --- | --- | ---: | ---: |
${rows.join("\n")}
`;
}
