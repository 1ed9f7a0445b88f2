// What happens at an engine's limits, on each one that is installed: too little memory, no more fuel or time, nobody who
// reads. Invariant: Mote ends with its own status and sentence wherever the engine lets it, and never leaves half a file.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packGraph } from "../../tools/pack/pack.ts";
import { EMBEDDINGS, type Embedding } from "../conformance/embeddings.ts";
import { root } from "../support/sources.ts";
import { delayGraph, FRAME } from "../support/streamModel.ts";
import { COMMAND_ENGINES } from "./commands.ts";
import { memoryPages, withMostPages } from "./memorySection.ts";
import { type Run, runLine, runWasi, wasiModule } from "./runner.ts";

const PAGE_KIB = 64;
const NEEDS = /the model needs (\d+) KiB of memory, and there are (\d+)/;
const LONG_FRAMES = 400_000;
const OLD = "what was there before";

const at = (path: string): Buffer => readFileSync(join(root, path));
const model = at("models/digits/digits.mote");
const image = at("models/digits/golden/inputs.bin").subarray(0, 784);
const scores = at("models/digits/golden/outputs.xnnpack.bin").subarray(0, 10);
const isScores = (bytes: Uint8Array): boolean => Buffer.compare(bytes, scores) === 0;

let folder: string;
const file = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mote-limits-"));
  writeFileSync(file("m.mote"), model);
  writeFileSync(file("short.mote"), model.subarray(0, model.length - 1));
  writeFileSync(file("in.bin"), image);
  writeFileSync(file("delay.mote"), packGraph(delayGraph(), { source: "test", sourceBytes: new Uint8Array() }).bytes);
  writeFileSync(file("long.bin"), new Uint8Array(LONG_FRAMES * FRAME));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `module` as a file, of which the memory may have `pages` pages and no more. */
function limited(module: string, pages: number): string {
  const path = file(`limited-${pages}.wasm`);
  writeFileSync(path, withMostPages(readFileSync(module), pages));
  return path;
}

/** Refused with one page less than the sentence asks for, and right with as many. */
function expectMemorySaid(module: string, run: (module: string) => Run, refusal: (status: number | null) => boolean) {
  const { first } = memoryPages(readFileSync(module));
  const refused = run(limited(module, first));
  const [, needed, there] = NEEDS.exec(refused.stderr) ?? [];
  expect({ refused: refusal(refused.status), there: Number(there) }).toEqual({
    refused: true,
    there: first * PAGE_KIB,
  });
  const pages = Math.ceil(Number(needed) / PAGE_KIB);
  expect(pages).toBeGreaterThan(first);
  if (pages - 1 > first) {
    const less = run(limited(module, pages - 1));
    expect([refusal(less.status), NEEDS.test(less.stderr)]).toEqual([true, true]);
  }
  expect(run(limited(module, pages)).status).toBe(0);
}

/** A group of tests of an engine; one that is skipped where the engine should be and is not. */
function describeEngine({ absent, quick }: Pick<Embedding, "absent" | "quick">, name: string, tests: () => void): void {
  const reason = absent();
  if (reason === undefined) describe(name, tests);
  // the slow engines are not for every run of the tests
  else if (quick) it(`needs an engine: ${name}`, ({ skip }) => skip(reason));
}

for (const engine of COMMAND_ENGINES) {
  describeEngine(engine, `mote.wasm on ${engine.name}`, () => {
    const module = wasiModule("mote");

    it("says how much memory a model needs and how much there is", () => {
      const run = (path: string): Run => runWasi(engine, path, folder, ["m.mote"], { stdin: image });
      expectMemorySaid(module, run, (status) => status === 5);
      expect(isScores(run(module).stdout)).toBe(true);
    });

    it.for(engine.limits ?? [])("leaves the old output whole when stopped by a limit of $what", (limit) => {
      writeFileSync(file("out.bin"), OLD);
      const args = ["--stream", "delay.mote", "long.bin", "out.bin"];
      const { status, stderr } = runLine(limit.line(module, folder, args), folder);
      expect({ status, said: limit.says.test(stderr) }).toEqual({ status: limit.status, said: true });
      expect(readFileSync(file("out.bin"), "utf8")).toBe(OLD);
    });

    it("ends with a status of its own where nobody reads the output", () => {
      rmSync(file("status"), { force: true });
      const line = engine.line(module, folder, ["--stream", "delay.mote", "long.bin"]);
      // the reader is gone before the first byte is written
      const script = '{ sleep 0.3; "$@"; echo $? > status; } | :';
      const { stderr } = runLine(["sh", "-c", script, "sh", ...line], folder);
      expect(Number(readFileSync(file("status"), "utf8"))).toBe(engine.closedPipe ?? 7);
      if (engine.closedPipe === undefined) expect(stderr).toMatch(/^mote: the output cannot be written: errno \d+$/m);
    });
  });
}

for (const embedding of EMBEDDINGS.filter(({ emulated }) => !emulated)) {
  describeEngine(embedding, `the reactor in ${embedding.name}`, () => {
    const module = wasiModule(embedding.simd ? "reactor" : "reactor-scalar");
    const run = (path: string, name = "m.mote"): Run => {
      rmSync(file("out.bin"), { force: true });
      return runLine([...embedding.line(path, [name, "in.bin", "out.bin"])] as [string, ...string[]], folder);
    };
    const failed = (status: number | null): boolean => status !== 0 && status !== null && !existsSync(file("out.bin"));

    it("says how much memory a model needs and how much there is", () => {
      expectMemorySaid(module, run, failed);
      expect(isScores(readFileSync(file("out.bin")))).toBe(true);
    });

    it("passes on what is wrong with a model", () => {
      const { status, stderr } = run(module, "short.mote");
      expect(failed(status)).toBe(true);
      expect(stderr).toContain(`truncated model: it ends after ${model.length - 1} of ${model.length} bytes`);
    });
  });
}
