// `mote train` as a user runs it: from a recipe file to a packed model with card and report, interrupted and resumed,
// with one worker or two. Invariant: the same recipe and seed give the same model, however it was run.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { root } from "../support/sources.ts";

const folder = mkdtempSync(join(tmpdir(), "mote-train-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `mote train`; `watch` sees stderr as it grows and may act on the process. */
function train(
  args: readonly string[],
  watch?: (said: string, kill: (signal: NodeJS.Signals) => void) => void,
): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, "dist/tools/cli/main.js"), "train", ...args], { cwd: folder });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (part) => {
      stdout += part;
    });
    child.stderr.on("data", (part) => {
      stderr += part;
      watch?.(stderr, (signal) => child.kill(signal));
    });
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}

const recipe = (epochs: number): string => {
  const path = join(folder, `rings${epochs}.ts`);
  writeFileSync(
    path,
    `import { adam, batchNorm, constant, defineRecipe, dense, dropout, Random, type Samples, sequential } from "mote-runtime/train";
    function rings(count: number, random: Random): Samples {
      const y = Int32Array.from({ length: count }, (_, i) => i % 2);
      const x = new Float32Array(count * 2);
      for (let i = 0; i < count; i++) {
        const [radius, angle] = [1 + y[i]! + 0.2 * random.normal(), random.between(0, 6.3)];
        x.set([radius * Math.cos(angle), radius * Math.sin(angle)], i * 2);
      }
      return { x, y, shape: [2], count };
    }
    export default defineRecipe({
      name: "rings",
      description: "Two rings.",
      data: () => ({ train: rings(256, new Random(1)), validation: rings(64, new Random(3)), test: rings(130, new Random(2)), classes: ["in", "out"], source: "drawn" }),
      net: () => sequential(dense(16), batchNorm({ activation: "relu" }), dropout(0.1), dense(16, { activation: "relu" }), dense(2)),
      batch: 32, epochs: ${epochs}, optimizer: adam(), schedule: constant(0.01), shards: 2,
    });`,
  );
  return path;
};

describe("mote train", () => {
  it("leaves a model, a card and one self-contained report, the same for one worker and two", async () => {
    const path = recipe(12);
    const one = await train([path, "--output", "one", "--json"]);
    expect(one.stderr).toContain("epoch 12 of 12");
    const card = JSON.parse(one.stdout) as { figures: Record<string, number> };
    expect(card.figures.floatAccuracy).toBeGreaterThan(0.9);
    expect(card.figures.packedAccuracy).toBeGreaterThan(0.9);
    const report = readFileSync(join(folder, "one/report.html"), "utf8");
    expect(report).toContain("Confusion on the test data");
    expect(report).not.toMatch(/(src|href)="(?!data:)/);
    expect(existsSync(join(folder, "one/checkpoint.bin"))).toBe(false);

    const two = await train([path, "--output", "two", "--workers", "2", "--json"]);
    expect(two.status).toBe(0);
    for (const file of ["model.mote", "weights.bin", "card.json"]) {
      expect(readFileSync(join(folder, "two", file)).equals(readFileSync(join(folder, "one", file))), file).toBe(true);
    }
  });

  it.each(["SIGINT", "SIGKILL"] as const)("goes on after %s and ends as if nothing had been", async (signal) => {
    const path = recipe(400);
    const whole = signal === "SIGINT" ? await train([path, "--output", "whole"]) : undefined;
    if (whole) expect(whole.status).toBe(0);
    const stopped = await train([path, "--output", signal], (said, kill) => {
      if (said.includes("epoch 9 of 400")) kill(signal);
    });
    expect(stopped.status).not.toBe(0);
    if (signal === "SIGINT")
      expect(stopped.stderr).toMatch(/interrupted at step \d+ of 3200; the same command goes on/);
    const resumed = await train([path, "--output", signal]);
    expect(resumed.status).toBe(0);
    if (signal === "SIGINT") expect(resumed.stderr).toMatch(/resuming at step [1-9]\d+ of 3200/);
    expect(
      readFileSync(join(folder, signal, "weights.bin")).equals(readFileSync(join(folder, "whole/weights.bin"))),
    ).toBe(true);
  });

  it("says in one sentence what is wrong with a recipe", async () => {
    const missing = await train(["nowhere.ts"]);
    expect([missing.status, missing.stderr]).toEqual([
      1,
      expect.stringMatching(/nowhere\.ts cannot be read: there is no such file/),
    ]);
    writeFileSync(join(folder, "broken.ts"), "export default {");
    expect((await train(["broken.ts"])).stderr).toMatch(/broken\.ts is no recipe that compiles: .*broken\.ts:1/);
    writeFileSync(join(folder, "poor.ts"), 'export default { name: "poor" };');
    expect((await train(["poor.ts"])).stderr).toMatch(/poor\.ts must export a recipe as its default, with "data"/);
    const many = await train([recipe(12), "--output", "many", "--workers", "9"]);
    expect([many.status, many.stderr]).toEqual([2, expect.stringMatching(/9 workers cannot share a step of 2 shards/)]);
  });
});
