// Which builds of the core this engine runs, and which of them are worth fetching. Invariant: answers by the very
// instructions that the build is made of, never by the engine's name. Called by core.ts before it fetches a build.
import { RELAXED_WINS } from "../assembly/abi.ts";

/**
 * (module (func
 *   (drop (i8x16.narrow_i16x8_s
 *     (f32x4.nearest (i32x4.dot_i16x8_s (i8x16.splat (i32.const 0)) (i8x16.splat (i32.const 0))))
 *     (i8x16.splat (i32.const 0))))))
 */
const SIMD_PROBE = [
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version 1
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00], // type 0: () → ()
  ...[0x03, 0x02, 0x01, 0x00], // function 0: type 0
  ...[0x0a, 0x18, 0x01, 0x16, 0x00], // code: one body of 22 bytes, no locals
  ...[0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f], // i32.const 0, i8x16.splat, twice
  ...[0xfd, 0xba, 0x01, 0xfd, 0x6a], // i32x4.dot_i16x8_s, f32x4.nearest
  ...[0x41, 0x00, 0xfd, 0x0f, 0xfd, 0x65], // i32.const 0, i8x16.splat, i8x16.narrow_i16x8_s
  ...[0x1a, 0x0b], // drop, end
];

/** Whether the engine accepts the instructions of the simd build. */
export function hasSimd(): boolean {
  return WebAssembly.validate(new Uint8Array(SIMD_PROBE));
}

/**
 * (module (func (export "f") (result i32)
 *   (i32x4.extract_lane 0 (i32x4.relaxed_dot_i8x16_i7x16_add_s
 *     (i8x16.splat (i32.const 127)) (i8x16.splat (i32.const -1)) (i8x16.splat (i32.const 0))))))
 */
const RELAXED_PROBE = [
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version 1
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f], // type 0: () → (i32)
  ...[0x03, 0x02, 0x01, 0x00], // function 0: type 0
  ...[0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00], // export "f": function 0
  ...[0x0a, 0x17, 0x01, 0x15, 0x00], // code: one body of 21 bytes, no locals
  ...[0x41, 0xff, 0x00, 0xfd, 0x0f, 0x41, 0x7f, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f], // 127, −1, 0, each a splat
  ...[0xfd, 0x93, 0x02, 0xfd, 0x1b, 0x00, 0x0b], // i32x4.relaxed_dot_i8x16_i7x16_add_s, extract_lane 0, end
];

/**
 * Whether the engine accepts the relaxed build's instructions and makes of operands out of range what only machines
 * make on which that build wins: assembly/simd/relaxedTest.ts. Not whether they work: the core answers that.
 */
export function relaxedWins(): boolean {
  const probe = new Uint8Array(RELAXED_PROBE);
  if (!WebAssembly.validate(probe)) return false;
  return (new WebAssembly.Instance(new WebAssembly.Module(probe)).exports.f as () => number)() === RELAXED_WINS;
}
