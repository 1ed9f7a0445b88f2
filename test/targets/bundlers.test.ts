// The package in projects of its users: what bundlers make of it runs in Chromium, types and exports are what tools for
// packages want them to be, and what is not used is left out.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, expect, it } from "vitest";
import { browserAbsent, startBrowser } from "../engines/browsers.ts";
import { absent, ENGINES, findPackage } from "../engines/find.ts";
import { serve } from "../engines/serve.ts";
import { describeEngine } from "../support/describeEngine.ts";
import { installedProject, type Project } from "../support/installed.ts";
import { read, root } from "../support/sources.ts";

let project: Project | undefined;
const installed = (): Project => {
  if (project) return project;
  project = installedProject();
  project.write("package.json", '{ "type": "module", "private": true }');
  return project;
};
afterAll(() => project?.remove());

const MAIN = `
import { createRunner, loadModel } from "mote-runtime/webview";
import { loadModel as bare } from "mote-runtime";
const answer = (outputs) => Object.values(outputs).map((output) => output.indexOf(Math.max(...output)));
const input = Float32Array.from({ length: 784 }, (_, i) => ((i * 37) % 256) / 255);
async function work() {
  const runner = await createRunner("digits.mote");
  const result = [answer(await runner.run(input)), runner.build];
  runner.dispose();
  const here = await createRunner("digits.mote", { worker: false });
  result.push(answer(await here.run(input)));
  for (const load of [loadModel, bare]) result.push(answer((await (await load("digits.mote")).createSession()).run(input)));
  return result;
}
work().then((result) => { window.result = result; }, (error) => { window.result = String(error.stack); });
`;
const PAGE = '<!doctype html><meta charset="utf-8"><title>page</title><script type="module" src="SOURCE"></script>';

/** What the page made by a bundler says in Chromium. */
async function open(folder: string): Promise<unknown> {
  installed().copy("models/digits/digits.mote", `${folder}/digits.mote`);
  const server = await serve({ "/": join(installed().folder, folder) });
  const browser = await startBrowser("chromium");
  try {
    const page = await browser.open(`${server.origin}/index.html`);
    return await page.evaluate(
      "new Promise((resolve) => (function look() { window.result ? resolve(window.result) : setTimeout(look, 20); })())",
    );
  } finally {
    await browser.close();
    server.close();
  }
}

const right = (result: unknown): void => {
  const [inWorker, build, ...others] = result as [number[], string, ...number[][]];
  expect(build).toMatch(/^(simd|relaxed)$/);
  expect(others).toEqual([inWorker, inWorker, inWorker]);
};

const bundlersAbsent = findPackage("vite/package.json") && findPackage("webpack") ? undefined : absent("bundlers");

describeEngine("a project of", browserAbsent("chromium") ?? bundlersAbsent, () => {
  it("Vite finds the core and the Worker by import.meta.url", async () => {
    installed().write("vite/index.html", PAGE.replace("SOURCE", "/main.js"));
    installed().write("vite/main.js", MAIN);
    installed().run(process.execPath, join(ENGINES, "node_modules/vite/bin/vite.js"), "build", "vite");
    right(await open("vite/dist"));
  });

  it("webpack finds them, too", async () => {
    installed().write("webpack/main.js", MAIN);
    const config = `export default { mode: "production", context: ${JSON.stringify(join(installed().folder, "webpack"))}, entry: "./main.js" };`;
    installed().write("webpack/webpack.config.mjs", config);
    const program = join(ENGINES, "node_modules/webpack-cli/bin/cli.js");
    installed().run(process.execPath, program, "-c", "webpack/webpack.config.mjs", "-o", "webpack/dist");
    installed().write("webpack/dist/index.html", PAGE.replace("SOURCE", "main.js"));
    right(await open("webpack/dist"));
  });

  it("esbuild takes them by explicit addresses", async () => {
    const text = MAIN.replaceAll('"digits.mote")', '"digits.mote", options)')
      .replace("{ worker: false }", "{ ...options, worker: false }")
      .replace('load("digits.mote"', 'load("digits.mote"');
    const options = `const options = { core: { simd: "core/simd.wasm" }, worker: () => new Worker("worker.js", { type: "module" }) };`;
    installed().write("esbuild/main.js", `${options}${text}`);
    const entry = join(installed().folder, "esbuild/main.js");
    await build({
      entryPoints: [entry],
      outfile: join(installed().folder, "esbuild/dist/main.js"),
      bundle: true,
      format: "esm",
      logLevel: "error",
    });
    installed().copy("dist/core/simd.wasm", "esbuild/dist/core/simd.wasm");
    installed().copy("dist/host/webview/worker.bundle.js", "esbuild/dist/worker.js");
    installed().write("esbuild/dist/index.html", PAGE.replace("SOURCE", "main.js"));
    right(await open("esbuild/dist"));
  });
});

it("what is imported and not used is left out", async () => {
  installed().write(
    "shake/none.js",
    'import "mote-runtime"; import { loadModel } from "mote-runtime/webview"; console.log(1);',
  );
  const { outputFiles } = await build({
    entryPoints: [join(installed().folder, "shake/none.js")],
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
    logLevel: "error",
  });
  expect(outputFiles[0]!.text.trim()).toBe("console.log(1);");
});

const lintersAbsent = (findPackage("publint/package.json") ?? findPackage("publint")) ? undefined : absent("linters");

describeEngine("the packed package", lintersAbsent, () => {
  const packed = (): string => {
    const [{ filename }] = JSON.parse(installed().run("npm", "pack", "--json", root)) as [{ filename: string }];
    return join(installed().folder, filename);
  };

  it("has nothing that publint finds fault with", () => {
    const tarball = packed();
    const said = installed().run(
      process.execPath,
      join(ENGINES, "node_modules/.bin/publint"),
      "run",
      "--strict",
      tarball,
    );
    expect(said).toContain("All good!");
    rmSync(tarball);
  });

  it("has types that are right, for modules everywhere and for CommonJS where it has it", () => {
    const tarball = packed();
    const { exports } = JSON.parse(read("package.json")) as { exports: Record<string, string | object> };
    const typed = Object.keys(exports).filter((name) => typeof exports[name] === "object");
    const attw = (profile: string, names: readonly string[]): string => {
      const program = join(ENGINES, "node_modules/.bin/attw");
      return installed().run(process.execPath, program, tarball, "--profile", profile, "--entrypoints", ...names);
    };
    // it ends with status 1, which throws, when it finds a problem that the profile does not leave aside
    expect(attw("esm-only", typed)).toContain('"mote-runtime/webview"');
    expect(attw("node16", ["./node"])).toContain("(CJS)");
    rmSync(tarball);
  });
});
