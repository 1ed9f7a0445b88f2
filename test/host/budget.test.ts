// What the host may cost: bytes of its bundles, nothing on the JS heap for a run, one copy of a model. All are measured
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
const BUNDLES = [
  { name: "the host", entry: "index.js", limit: 10 },
  { name: "the webview entry, all of the host in it,", entry: "targets/webview.js", limit: 11 },
  { name: "the Web Worker of a page", entry: "webview/worker.bundle.js", limit: 10 },
];

describe("what a page loads", () => {
  it.each(BUNDLES)(
    "$name is at most $limit KiB, minified and compressed, with all that it depends on",
    async (bundle) => {
      const { outputFiles } = await build({
        entryPoints: [fileURLToPath(new URL(`../../dist/host/${bundle.entry}`, import.meta.url))],
        bundle: true,
        minify: true,
        format: "esm",
        platform: "browser",
        write: false,
        // the addresses by import.meta.url stay as they are: nothing of the core or the Worker is in it
        logLevel: "error",
      });
      expect(outputFiles).toHaveLength(1);
      expect(gzipSync(outputFiles[0]!.contents, { level: 9 }).length).toBeLessThanOrEqual(bundle.limit * KIB);
    },
  );
});

const folder = mkdtempSync(join(tmpdir(), "mote-"));
const model = join(folder, "tiny.mote");
writeFileSync(model, tinyModel());
afterAll(() => rmSync(folder, { recursive: true }));

describe("a session", () => {
  it("does not keep the file's bytes once the model is let go of", () => {
    const script = fileURLToPath(new URL("../support/keptFile.mjs", import.meta.url));
    const said = execFileSync(process.execPath, ["--expose-gc", script, model], { encoding: "utf8" });
    expect(JSON.parse(said)).toEqual({ name: "tiny", besideModel: true, besideSession: false, right: true });
  });
});

describe("run with outputs", () => {
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
