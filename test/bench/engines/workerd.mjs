// Cold start of Mote in workerd, the runtime of Cloudflare Workers, by way of miniflare. None of the peers runs
// there as it is shipped: they compile WebAssembly at run time, or look for a document.
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { pathOf, ROOT } from "../places.mjs";
import { installedVersion } from "../setup.mjs";
import { moteBuilds } from "../sizes.mjs";
import { residentMiB } from "./resident.mjs";

/** @returns for each model, per round in a fresh workerd: times in ms, build and memory */
export async function benchWorkerd(models, { rounds, seconds }) {
  const { Miniflare } = await import(pathToFileURL(pathOf("/packages/miniflare/dist/src/index.js")).href);
  const rows = [];
  for (const model of models.filter(({ file }) => file)) {
    const folder = await makeWorker(model);
    const measured = [];
    for (let round = 0; round < rounds; round++) measured.push(await measure(Miniflare, folder, model, seconds));
    const least = (key) => Math.min(...measured.map((each) => each[key]));
    rows.push({
      model: model.name,
      build: measured[0].build,
      loadMs: least("loadMs"),
      requestMs: least("requestMs"),
      emptyMs: least("emptyMs"),
      minMs: least("minMs"),
      memory: { wasmBytes: measured[0].wasmBytes, rssMiB: least("rssMiB") },
    });
  }
  return { version: installedVersion("workerd"), rows };
}

async function makeWorker(model) {
  const folder = pathOf(`/made/worker/${model.name}/`);
  mkdirSync(folder, { recursive: true });
  const builds = moteBuilds().filter((each) => each !== "scalar");
  for (const each of builds) cpSync(`${ROOT}dist/core/${each}.wasm`, `${folder}${each}.wasm`);
  cpSync(pathOf(model.moteFile), `${folder}model.bin`);
  cpSync(pathOf(`/peers/inputs/${model.file}.nhwc.q.bin`), `${folder}input.bin`);
  const imports = builds.map((each) => `import ${each} from "./${each}.wasm";`);
  const cores = `${imports.join("\n")}\nexport const cores = { ${builds.join(", ")} };`;
  const { outputFiles } = await build({
    entryPoints: [pathOf("/bench/guest/worker.mjs")],
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
    external: ["*.wasm", "*.bin"],
    plugins: [
      virtual({ "bench:cores": cores, "bench:mote": `export * from ${JSON.stringify(`${ROOT}dist/host/index.js`)};` }),
    ],
  });
  writeFileSync(`${folder}worker.js`, outputFiles[0].contents);
  return folder;
}

/** An esbuild plugin: modules that are only text. */
const virtual = (modules) => ({
  name: "virtual",
  setup(bundler) {
    bundler.onResolve({ filter: /^bench:/ }, ({ path }) => ({ path, namespace: "virtual" }));
    bundler.onLoad({ filter: /.*/, namespace: "virtual" }, ({ path }) => ({
      contents: modules[path],
      resolveDir: ROOT,
    }));
  },
});

async function measure(Miniflare, folder, model, seconds) {
  const flare = new Miniflare({
    compatibilityDate: "2026-04-20",
    modules: true,
    modulesRoot: folder,
    scriptPath: `${folder}worker.js`,
    modulesRules: [
      { type: "ESModule", include: ["**/*.js"] },
      { type: "CompiledWasm", include: ["**/*.wasm"] },
      { type: "Data", include: ["**/*.bin"] },
    ],
    telemetry: { enabled: false },
    cf: false,
  });
  try {
    await flare.ready;
    const ask = async (path) => (await flare.dispatchFetch(`http://worker${path}`)).json();
    const timed = async (path) => {
      const started = performance.now();
      const answer = await ask(path);
      return { ...answer, elapsed: performance.now() - started };
    };
    const first = await timed("/");
    const rssMiB = residentMiB(process.pid, "workerd");
    if (model.golden.some((value, i) => value !== first.output[i]))
      throw new Error(`workerd, ${model.name}: wrong answer`);
    let emptyMs = Infinity;
    for (let i = 0; i < 20; i++) emptyMs = Math.min(emptyMs, (await timed("/nothing")).elapsed);
    const minMs = await fastest(ask, seconds);
    const { loadMs, build, wasmBytes } = first;
    return { loadMs, build, wasmBytes, requestMs: first.elapsed, emptyMs, minMs, rssMiB };
  } finally {
    await flare.dispose();
  }
}

async function fastest(ask, seconds) {
  let best = Infinity;
  const started = performance.now();
  while (performance.now() - started < seconds * 2000) {
    const runs = Math.max(1, Math.round(100 / Math.min(best, 1000)));
    best = Math.min(best, (await ask(`/time?runs=${runs}`)).ms || Infinity);
  }
  return best;
}
