// The model's memory as the core sees it, and the checks that keep every step inside it.
// Invariant: after `check…` has accepted a step, running it reads only [0, total + slack), writes
// only [image, total), and its params lie in the image, which nothing can write.

import { Step } from "./abi";

/** Address of the model's first byte. */
export let base: usize = 0;
/** Bytes of the read-only part. */
export let imageBytes: u32 = 0;
/** Bytes of image and arena together. */
export let totalBytes: u32 = 0;

export function setMemory(newBase: usize, image: u32, total: u32): void {
  base = newBase;
  imageBytes = image;
  totalBytes = total;
}

/** The integer in word `word` of a step. */
// @ts-ignore: decorator
@inline
export function field(step: usize, word: i32): i32 {
  return load<i32>(step + ((<usize>word) << 2));
}

// @ts-ignore: decorator
@inline
export function fieldF32(step: usize, word: i32): f32 {
  return load<f32>(step + ((<usize>word) << 2));
}

/** The address that word `word` of a step stands for. */
// @ts-ignore: decorator
@inline
export function address(step: usize, word: i32): usize {
  return base + <usize>load<u32>(step + ((<usize>word) << 2));
}

/** More bytes than any memory has: what `extent` gives for a negative or overflowing product. */
const TOO_MUCH: u64 = 1 << 62;

/** a·b·c·d, or too much for any check where a factor is negative or the product passes 2^32. */
export function extent(a: i32, b: i32, c: i32 = 1, d: i32 = 1): u64 {
  if ((a | b | c | d) < 0) return TOO_MUCH;
  let product = (<u64>a) * (<u64>b);
  if (product > u32.MAX_VALUE) return TOO_MUCH;
  product *= <u64>c;
  if (product > u32.MAX_VALUE) return TOO_MUCH;
  product *= <u64>d;
  return product > u32.MAX_VALUE ? TOO_MUCH : product;
}

/** `bytes` at the place in word `word` may be read. */
export function canRead(step: usize, word: i32, bytes: u64): bool {
  return bytes <= totalBytes && <u64>load<u32>(step + ((<usize>word) << 2)) + bytes <= totalBytes;
}

/** The step whose output was granted last, and the output's place, for `hasScratch`. */
let granted: usize = 0;
let outputStart: u64 = 0;
let outputEnd: u64 = 0;

/** `bytes` at the place in word `word` lie in the arena. */
export function canWrite(step: usize, word: i32, bytes: u64): bool {
  const start = load<u32>(step + ((<usize>word) << 2));
  if (start < imageBytes || !canRead(step, word, bytes)) return false;
  if (word == Step.Output) {
    granted = step;
    outputStart = start;
    outputEnd = outputStart + bytes;
  }
  return true;
}

/** `bytes` of params lie in the read-only image. */
export function hasParams(step: usize, bytes: u64): bool {
  return bytes <= imageBytes && <u64>load<u32>(step + ((<usize>Step.Params) << 2)) + bytes <= imageBytes;
}

/** `bytes` at the place in word `word` lie in the read-only image. */
export function inImage(step: usize, word: i32, bytes: u64): bool {
  return bytes <= imageBytes && <u64>load<u32>(step + ((<usize>word) << 2)) + bytes <= imageBytes;
}

/**
 * The step's scratch lies in the arena, holds at least `bytes`, and shares none with the output: kernels
 * keep addresses in it. To be asked after `canWrite` of the output; before it, it refuses.
 */
export function hasScratch(step: usize, bytes: u64): bool {
  if (field(step, Step.ScratchBytes) < 0 || granted != step) return false;
  const declared = <u64>field(step, Step.ScratchBytes),
    start = <u64>load<u32>(step + ((<usize>Step.Scratch) << 2));
  if (declared < bytes) return false;
  if (declared == 0) return true;
  return (start >= outputEnd || start + declared <= outputStart) && canWrite(step, Step.Scratch, declared);
}

/** Words `first` … `last` of the step are all at least `least` and at most `most`. */
export function allWithin(step: usize, first: i32, last: i32, least: i32, most: i32): bool {
  for (let word = first; word <= last; word++) {
    const value = field(step, word);
    if (value < least || value > most) return false;
  }
  return true;
}
