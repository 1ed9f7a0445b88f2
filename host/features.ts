// Which builds of the core this engine runs. Invariant: answers by validating the very instructions
// that the build is made of, never by the engine's name. Called by core.ts before it fetches a build.

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
