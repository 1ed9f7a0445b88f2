// The package as npm installs it from its tarball, with the dependencies that a registry or npm's cache gives for its
// ranges: in a bare project, one for Vite and one for Workers. Invariant: each project has a node_modules of its own, in
// which nothing is linked; the bundlers, which are no dependency, are those of `.engines`.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { browserAbsent, startBrowser } from "./engines/browsers.ts";
import { absent, ENGINES, findPackage } from "./engines/find.ts";
import { serve } from "./engines/serve.ts";
import { startWorker, workerdAbsent } from "./engines/workerd.ts";
import { describeEngine } from "./support/describeEngine.ts";
import { read, root } from "./support/sources.ts";

/** Not permitted under CI, where npm has just installed this project's own dependencies (support/tally.ts). */
const OFFLINE = "npm reaches no registry and has not all in its cache";
const UNREACHED = /\b(ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH)\b/;

const folder = mkdtempSync(join(tmpdir(), "mote-install-"));
let tarball: string;
/** found by the first test that installs */
let offline = false;

const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 100_000,
    env: { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false", FORCE_COLOR: "0" },
  });
const node = (args: readonly string[], cwd: string): string => run(process.execPath, args, cwd);

/** A new project of `files`, the package installed in it; skips the test where npm reaches nothing. */
function install(name: string, files: Readonly<Record<string, string>>, skip: (reason: string) => void): string {
  const project = join(folder, name);
  for (const [path, text] of Object.entries({ "package.json": '{ "type": "module", "private": true }', ...files })) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  }
  if (offline) skip(OFFLINE);
  const patience = ["--fetch-retries", "1", "--fetch-retry-mintimeout", "1000", "--fetch-timeout", "30000"];
  try {
    run("npm", ["install", "--prefer-offline", ...patience, "--no-audit", "--no-fund", tarball], project);
  } catch (error) {
    const { message, stderr } = error as { message: string; stderr: string };
    offline = UNREACHED.test(message + stderr);
    if (offline) skip(OFFLINE);
    throw new Error(`npm install ended with: ${message}\n${stderr}`);
  }
  return project;
}

beforeAll(() => {
  const [{ filename }] = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", folder], root)) as [
    { filename: string },
  ];
  tarball = join(folder, filename);
});
afterAll(() => rmSync(folder, { recursive: true }));

const INPUT = "Float32Array.from({ length: 784 }, (_, i) => ((i * 37) % 256) / 255)";
const FIRST = "const first = (outputs) => [...Object.values(outputs)[0]];";
/** What every project must answer: the outputs of `digits` here, from the sources. */
async function expected(): Promise<number[]> {
  const { loadModel } = await import("../host/targets/node.ts");
  const session = await (await loadModel(join(root, "models/digits/digits.mote"))).createSession();
  const input = Float32Array.from({ length: 784 }, (_, i) => ((i * 37) % 256) / 255);
  return [...Object.values(session.run(input))[0]!];
}

describe("the package installed from its tarball", () => {
  it("runs in a bare project, as a module, as CommonJS and as a command", async ({ skip }) => {
    const model = "node_modules/mote-runtime/models/digits/digits.mote";
    const work = `(loadModel) => loadModel("${model}").then((m) => m.createSession()).then((s) => console.log(JSON.stringify(first(s.run(${INPUT})))))`;
    const files = {
      "main.mjs": `import { loadModel } from "mote-runtime/node"; ${FIRST} (${work})(loadModel);`,
      "main.cjs": `const { loadModel } = require("mote-runtime/node"); ${FIRST} (${work})(loadModel);`,
    };
    const project = install("bare", files, skip);
    const { version, dependencies } = JSON.parse(read("package.json")) as {
      version: string;
      dependencies: Record<string, string>;
    };
    const lock = JSON.parse(readFileSync(join(project, "node_modules/.package-lock.json"), "utf8")) as {
      packages: Record<string, { version: string; link?: boolean }>;
    };
    expect(Object.values(lock.packages).filter(({ link }) => link)).toEqual([]);
    for (const [name, range] of Object.entries(dependencies))
      expect(lock.packages[`node_modules/${name}`]?.version).toBe(range);
    const answer = await expected();
    expect(JSON.parse(node(["main.mjs"], project))).toEqual(answer);
    expect(JSON.parse(node(["main.cjs"], project))).toEqual(answer);
    const mote = join(project, "node_modules/.bin/mote");
    expect(run(mote, ["--version"], project).trim()).toBe(version);
    expect(run(mote, ["verify", model], project)).toMatch(/simd/);
    // the tools, with all that they depend on
    run(mote, ["import", model.replace(".mote", ".tflite"), "-o", "again.mote"], project);
    const said = run(mote, ["run", "again.mote", model.replace("digits.mote", "seven.png")], project);
    expect(said).toContain("at index 7");
  });
});

const viteAbsent = findPackage("vite/package.json") ? undefined : absent("bundlers");
describeEngine("the package installed for Vite", browserAbsent("chromium") ?? viteAbsent, () => {
  it("is built and answers in Chromium", async ({ skip }) => {
    const main = `import { createRunner } from "mote-runtime/webview"; ${FIRST}
      const runner = await createRunner("digits.mote"); window.result = first(await runner.run(${INPUT}));`;
    const page =
      '<!doctype html><meta charset="utf-8"><title>page</title><script type="module" src="/main.js"></script>';
    const project = install("vite", { "index.html": page, "main.js": main }, skip);
    node([join(ENGINES, "node_modules/vite/bin/vite.js"), "build", "--target", "esnext"], project);
    cpSync(join(project, "node_modules/mote-runtime/models/digits/digits.mote"), join(project, "dist/digits.mote"));
    const server = await serve({ "/": join(project, "dist") });
    const browser = await startBrowser("chromium");
    try {
      const opened = await browser.open(`${server.origin}/index.html`);
      const wait =
        "new Promise((resolve) => (function look() { window.result ? resolve(window.result) : setTimeout(look, 20); })())";
      expect(await opened.evaluate(wait)).toEqual(await expected());
    } finally {
      await browser.close();
      server.close();
    }
  });
});

const wranglerAbsent = findPackage("wrangler") ? undefined : absent("wrangler");
describeEngine("the package installed for a Worker", workerdAbsent() ?? wranglerAbsent, () => {
  it("is bundled by wrangler and answers in workerd", async ({ skip }) => {
    const main = `import { loadModel, perIsolate } from "mote-runtime/worker";
      import digits from "mote-runtime/models/digits/digits.mote"; ${FIRST}
      const session = perIsolate(() => loadModel(digits));
      export default { fetch: async () => Response.json(first((await session()).run(${INPUT}))) };`;
    const config = JSON.stringify({
      name: "bare-worker",
      main: "main.js",
      compatibility_date: "2026-04-20",
      rules: [{ type: "Data", globs: ["**/*.mote"], fallthrough: true }],
    });
    const project = install("worker", { "main.js": main, "wrangler.jsonc": config }, skip);
    const wrangler = join(ENGINES, "node_modules/wrangler/bin/wrangler.js");
    node([wrangler, "deploy", "--dry-run", "--outdir", "out"], project);
    const worker = await startWorker(join(project, "out"), "main.js");
    try {
      expect(await (await worker.fetch("/")).json()).toEqual(await expected());
    } finally {
      await worker.close();
    }
  });
});
