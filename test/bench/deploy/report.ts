// docs/deploy.md from what was measured. Invariant: every number is one of the results'; limits are named beside them.
// @ts-expect-error: the bench's scripts have no types
import { describeMachine } from "../machine.mjs";
import type { CameraResult, PageResult } from "./page.ts";
import type { WorkerRow } from "./workerd.ts";

const ms = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(1));
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;

export function report(workers: readonly WorkerRow[], page: PageResult, camera: CameraResult): string {
  const { cpu, cores, system } = describeMachine() as { cpu: string; cores: number; system: string };
  const [first, ...loads] = page.firstResultMs;
  const columns: readonly [string, (row: WorkerRow) => string][] = [
    ["upload: model, core, host (goal: 150 KiB)", ({ upload }) => kib(upload)],
    [
      "first request, best and median (goal: 20 ms)",
      (row) => `${ms(Math.min(...row.firstMs))}, ${ms(median(row.firstMs))} ms`,
    ],
    ["a later request, best", (row) => `${ms(row.laterMs)} ms`],
    ["a request that asks for nothing, best", (row) => `${ms(row.emptyMs)} ms`],
    ["CPU of start-up, all threads ¹ (a Worker may take 1 s)", (row) => `${ms(row.startCpuMs)} ms`],
    ["CPU of the first request ¹ (the free plan: 10 ms)", (row) => `${ms(row.firstCpuMs)} ms`],
    ["the same with compiling in the background ¹", (row) => `${ms(row.firstAllCpuMs)} ms`],
    ["CPU of a later request, all threads, mean ¹ (the free plan: 10 ms)", (row) => `${ms(row.laterCpuMs)} ms`],
    ["memory of the whole process (an isolate: 128 MB)", (row) => `${row.rssMiB.toFixed(0)} MiB`],
  ];
  const rows = columns.map(([label, cell]) => `| ${label} | ${workers.map(cell).join(" | ")} |`);
  return `# What deployments cost

Made by \`npm run bench:deploy -- --write\`; do not edit. Measured ${new Date().toISOString().slice(0, 10)} on ${cpu} (${cores} cores, ${system});
workerd ${workers[0]!.version}, Chromium ${page.version}. Every answer was compared before its time was kept.

## A Worker for keyword spotting

Bundled by wrangler with the core that \`mote core\` makes for the model, in a fresh workerd each round; times are seen from
outside, over HTTP on loopback, the connection being made.

| | ${workers.map(({ name }) => name).join(" | ")} |
| --- | ${workers.map(() => "---:").join(" | ")} |
${rows.join("\n")}

The upload from sound is above the goal, by the model's self-test: every .mote file carries the input of its own, and this
one's is a second of sound, 16,000 samples of four bytes. The front end itself (code and tables) adds about 9 KiB.

¹ Beyond that of a Worker that does nothing, measured in the same way beside it.

## The page of examples/webview

- From the start of the navigation to the first answer on the page, in Chromium, server on loopback, another origin each time
  (no cache, no service worker yet): best ${ms(Math.min(...loads))} ms, median ${ms(median(loads))} ms of ${loads.length}, after the first
  in a browser just started: ${ms(first!)} ms (goal: 150 ms).
- Person detector on a camera of 30 frames a second, ${camera.seconds} s: ${camera.frames} frames came, ${camera.ran} were run, ${camera.dropped} were replaced by newer
  ones. From a frame to its answer on the page: median ${ms(camera.medianMs)} ms, 99th percentile ${ms(camera.p99Ms)} ms.
`;
}
