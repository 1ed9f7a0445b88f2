// What PyTorch made of the numbers that `drawn` gives; goldens/make.py says how.
import { readFileSync } from "node:fs";

/** Values in −1 … 1, multiples of 2⁻¹², from a hash of name and index: the same as in make.py. */
export function drawn(name: string, count: number): Float32Array {
  let seed = 0x811c9dc5;
  for (const unit of name) seed = Math.imul(seed ^ unit.charCodeAt(0), 0x01000193);
  return Float32Array.from({ length: count }, (_, i) => {
    let h = seed ^ Math.imul(i, 0x9e3779b1);
    h ^= h >>> 16;
    h = Math.imul(h, 0x85ebca6b);
    h ^= h >>> 13;
    h = Math.imul(h, 0xc2b2ae35);
    h ^= h >>> 16;
    return ((h >>> 19) - 4096) / 4096;
  });
}

export function golden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`goldens/${name}.json`, import.meta.url), "utf8")) as T;
}
