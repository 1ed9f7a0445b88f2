// Compiles a module and nothing more, for `node --print-wasm-code compile.mjs core.wasm`.
import { readFileSync } from "node:fs";

new WebAssembly.Module(readFileSync(process.argv[2]));
