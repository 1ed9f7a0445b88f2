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

/** What the dot makes of the probe's operands where it takes both as signed: on ARM. */
const BOTH_SIGNED = -508;

/**
 * (module (func (export "d") (param i32) … eight relaxed dots, (local.set x (dot x x x)), as often as the parameter says)
 *         (func (export "m") (param i32) … as many of the products that every engine has, (local.set x (add x (dot_i16x8 x x)))))
 */
function clockProbe(): Uint8Array<ArrayBuffer> {
  const loop = (...op: number[]): number[] => {
    const step = (x: number): number[] => [...[0x20, x, 0x20, x, 0x20, x], ...op, 0x21, x]; // local.get thrice, op, local.set
    const four = (x: number): number[] => [x, x, x, x].flatMap(step);
    const again = [0x20, 0x00, 0x41, 0x01, 0x6b, 0x22, 0x00, 0x0d, 0x00, 0x0b, 0x0b]; // n − 1, br_if, end, end
    const code = [0x01, 0x02, 0x7b, 0x03, 0x40, ...four(1), ...four(2), ...again]; // two locals v128, loop
    return [(code.length & 127) | 128, code.length >> 7, ...code];
  };
  const bodies = [0x02, ...loop(0xfd, 0x93, 0x02), ...loop(0xfd, 0xba, 0x01, 0xfd, 0xae, 0x01)];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version 1
    ...[0x01, 0x05, 0x01, 0x60, 0x01, 0x7f, 0x00], // type 0: (i32) → ()
    ...[0x03, 0x03, 0x02, 0x00, 0x00], // functions 0 and 1: type 0
    ...[0x07, 0x09, 0x02, 0x01, 0x64, 0x00, 0x00, 0x01, 0x6d, 0x00, 0x01], // exports "d" and "m"
    ...[0x0a, (bodies.length & 127) | 128, bodies.length >> 7, ...bodies],
  ]);
}

/** Rounds of eight products: about 0.1 ms of dots where a dot is one instruction. */
const ROUNDS = 20_000;

let quick: boolean | undefined;

/**
 * Whether a dot of signed operands is one instruction here, as with arm64's dot-product extension, rather than five: by
 * the clock, in half a millisecond, once. A clock too coarse to tell says no. What is chosen by it changes no byte.
 */
function dotIsQuick(): boolean {
  if (quick !== undefined) return quick;
  const { d, m } = new WebAssembly.Instance(new WebAssembly.Module(clockProbe())).exports as Record<
    string,
    (rounds: number) => void
  >;
  const time = (run: (rounds: number) => void): number => {
    run(100);
    const start = performance.now();
    run(ROUNDS);
    return performance.now() - start;
  };
  const dots = time(d!);
  quick = dots < 0.75 * time(m!);
  return quick;
}

/**
 * Whether the engine accepts the relaxed build's instructions, and the machine is one on which that build wins, by what
 * the dot makes of operands out of range (assembly/simd/relaxedTest.ts), and on ARM by the clock. Not whether they
 * work: the core answers that.
 */
export function relaxedWins(): boolean {
  const probe = new Uint8Array(RELAXED_PROBE);
  if (!WebAssembly.validate(probe)) return false;
  const answer = (new WebAssembly.Instance(new WebAssembly.Module(probe)).exports.f as () => number)();
  return answer === RELAXED_WINS || (answer === BOTH_SIGNED && dotIsQuick());
}
