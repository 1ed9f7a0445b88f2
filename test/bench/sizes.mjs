// What is shipped to a user: bytes of Mote's host and core, and of each peer's script and wasm file.
import { readdirSync } from "node:fs";
import { ROOT } from "./places.mjs";

/** The builds of the core that are built, fastest first. */
export function moteBuilds() {
  const order = ["relaxed", "simd", "scalar"];
  const built = readdirSync(`${ROOT}dist/core`).filter((name) => name.endsWith(".wasm"));
  return built.map((name) => name.slice(0, -5)).sort((a, b) => order.indexOf(a) - order.indexOf(b));
}
