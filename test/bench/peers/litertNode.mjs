// What LiteRT.js misses in Node: it loads its wasm glue by importScripts, and the glue then wants
// CommonJS names. Its log lines are silenced with it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import vm from "node:vm";

export function pretendBrowser(file) {
  globalThis.self = globalThis;
  globalThis.importScripts = (path) => {
    vm.runInThisContext(readFileSync(path, "utf8"), { filename: path });
  };
  globalThis.navigator ??= { userAgent: "node", hardwareConcurrency: 1 };
  globalThis.require = createRequire(import.meta.url);
  globalThis.__filename = file;
  globalThis.__dirname = `${dirname(file)}/`;
  for (const method of ["log", "info", "warn", "error"]) console[method] = () => {};
}
