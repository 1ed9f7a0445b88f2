// 2,000 sessions made, run and disposed of leave nothing behind: after collection the engine holds no MiB more than
// before, or, where it does not tell, no more than the 15 memories of 64 KiB that would make one.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { BROWSERS, browserAbsent, startBrowser } from "../engines/browsers.ts";
import { serve } from "../engines/serve.ts";
import { startWorker, workerdAbsent } from "../engines/workerd.ts";
import { describeEngine } from "../support/describeEngine.ts";
import { root } from "../support/sources.ts";

const CYCLES = 2000;
const MIB = 2 ** 20;
const DIGITS = join(root, "models/digits/digits.mote");

const PROGRAM = `
  import { loadModel } from "mote-runtime/node";
  const kept = [];
  async function cycles(model, count, keep) {
    const input = new Int8Array(784);
    for (let i = 0; i < count; i++) {
      const session = await model.createSession();
      session.run(input);
      if (keep) kept.push(session.input(model.inputs[0].name));
      session.dispose();
    }
  }
  async function used() {
    for (let i = 0; i < 4; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)); }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  }
  const model = await loadModel(${JSON.stringify(DIGITS)});
  await cycles(model, 50);
  const before = await used();
  await cycles(model, ${CYCLES});
  const after = await used();
  await cycles(model, 100, true);
  console.log(JSON.stringify({ grown: after - before, kept: (await used()) - after }));
`;

describe("Node", () => {
  it("holds no more after 2,000 sessions, and does see those that are kept", () => {
    const flags = ["--expose-gc", "--input-type=module", "-e", PROGRAM];
    const { grown, kept } = JSON.parse(execFileSync(process.execPath, flags, { cwd: root, encoding: "utf8" }));
    expect(grown).toBeLessThan(MIB);
    expect(kept).toBeGreaterThan(90 * 65536);
  });
});

describeEngine.each(BROWSERS, browserAbsent, (name) => {
  it("holds no more after 2,000 sessions, and 100 runners in Web Workers", async () => {
    const server = await serve({
      "/": join(root, "test/targets/webview"),
      "/dist/": join(root, "dist"),
      "/models/": join(root, "models/digits"),
    });
    const browser = await startBrowser(name);
    try {
      const page = await browser.open(`${server.origin}/`);
      await page.evaluate(
        "new Promise((resolve) => (function look() { window.tests ? resolve(1) : setTimeout(look, 10); })())",
      );
      await page.evaluate('window.tests.sessions("/models/digits.mote", 50)');
      await page.evaluate('window.tests.cycles("/models/digits.mote", 5)');
      const before = await page.heapBytes?.();
      expect(await page.evaluate(`window.tests.sessions("/models/digits.mote", ${CYCLES})`)).toBeLessThanOrEqual(15);
      await page.evaluate('window.tests.cycles("/models/digits.mote", 100)');
      if (before !== undefined) expect((await page.heapBytes!()) - before).toBeLessThan(MIB);
    } finally {
      await browser.close();
      server.close();
    }
  });
});

const WORKER = `
import { loadModel } from "mote";
import bytes from "./digits.bin";
let left = 0;
const kept = [];
const registry = new FinalizationRegistry(() => left--);
export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const model = await loadModel(bytes);
    const input = new Int8Array(784);
    for (let i = 0; i < Number(searchParams.get("count")); i++) {
      const session = await model.createSession();
      session.run(input);
      const { buffer } = session.input(model.inputs[0].name);
      registry.register(buffer);
      left++;
      if (pathname === "/keep") kept.push(buffer);
      session.dispose();
    }
    // nothing but need makes the engine collect
    for (let i = 0; i < 40; i++) new Uint8Array(2 ** 20).fill(i);
    return Response.json(left);
  },
};`;

describeEngine("workerd", workerdAbsent(), () => {
  it("holds no more after 2,000 sessions, and does see those that are kept", async () => {
    const folder = mkdtempSync(join(tmpdir(), "mote-leaks-"));
    writeFileSync(join(folder, "entry.js"), WORKER);
    writeFileSync(join(folder, "digits.bin"), readFileSync(DIGITS));
    await build({
      entryPoints: [join(folder, "entry.js")],
      outfile: join(folder, "worker.js"),
      bundle: true,
      format: "esm",
      alias: { mote: join(root, "dist/host/targets/worker.bundle.js") },
      external: ["*.bin"],
      plugins: [
        {
          name: "core",
          setup: ({ onResolve }) =>
            onResolve({ filter: /simd\.wasm$/ }, () => ({ path: "./simd.wasm", external: true })),
        },
      ],
    });
    writeFileSync(join(folder, "simd.wasm"), readFileSync(join(root, "dist/core/simd.wasm")));
    const worker = await startWorker(folder, "worker.js");
    try {
      const ask = async (path: string): Promise<number> => (await (await worker.fetch(path)).json()) as number;
      let left = await ask(`/?count=${CYCLES}`);
      for (const end = Date.now() + 30_000; left > 15 && Date.now() < end; ) left = await ask("/");
      expect(left).toBeLessThanOrEqual(15);
      left = await ask("/keep?count=100");
      for (let i = 0; i < 100; i++) left = await ask("/");
      expect(left).toBeGreaterThanOrEqual(100);
    } finally {
      await worker.close();
      rmSync(folder, { recursive: true });
    }
  });
});
