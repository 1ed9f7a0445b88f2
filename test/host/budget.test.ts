// What the host may cost: bytes of its bundle, and nothing on the JS heap for a run. Both are measured
// on dist/host, which is what is published.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterAll, describe, expect, it } from "vitest";
import { tinyModel } from "../support/tinyModel.ts";

const KIB = 1024;
const entry = fileURLToPath(new URL("../../dist/host/index.js", import.meta.url));

describe("the host's bundle", () => {
  it("is at most 10 KiB, minified and compressed, with all that it depends on", async () => {
    const { outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      write: false,
    });
    expect(gzipSync(outputFiles[0]!.contents, { level: 9 }).length).toBeLessThanOrEqual(10 * KIB);
  });
});

describe("run with outputs", () => {
  const folder = mkdtempSync(join(tmpdir(), "mote-"));
  const model = join(folder, "tiny.mote");
  writeFileSync(model, tinyModel());
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(["int8", "float32"])("allocates nothing, fed with %s", (kind) => {
    const script = fileURLToPath(new URL("../support/heapGrowth.mjs", import.meta.url));
    // a new space so large that no collection hides what was allocated
    const flags = ["--min-semi-space-size=64", "--max-semi-space-size=64"];
    const { filled, fresh } = JSON.parse(
      execFileSync(process.execPath, [...flags, script, model, kind], { encoding: "utf8" }),
    ) as { filled: number; fresh: number };
    // the smallest heap object takes 12 bytes; the measurement itself takes a few hundred in all
    expect(filled).toBeLessThan(1);
    // and the measurement does see a run that allocates
    expect(fresh).toBeGreaterThan(50);
  });
});
