// The built cores, for tests that start a session. Invariant: `npm run build` has made dist/core.
import { readFileSync } from "node:fs";
import type { BuildName, CoreSource } from "../../host/core.ts";

export function coreModule(build: BuildName): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL(`../../dist/core/${build}.wasm`, import.meta.url)));
}

/** Both builds, compiled once a test file. */
export const CORE: CoreSource = { simd: coreModule("simd"), scalar: coreModule("scalar") };
export const BUILDS = ["simd", "scalar"] as const;
