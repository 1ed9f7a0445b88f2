// Which of the core's inner loops is the faster one on this machine. They give the same bytes; only the
// instructions that an engine makes of them differ (assembly/README.md, "On arm64").
// Invariant: `narrow` changes between steps only, never within one.

/** Whether products are summed by extmul, which arm64 fuses, instead of dot_i16x8, which x86 has. */
export let narrow: bool = false;

export function setNarrow(on: bool): void {
  narrow = on;
}

/** Whether relaxed dots into int32 are several instructions here, so that those into int16 are the faster ones. */
export let words: bool = false;

export function setWords(on: bool): void {
  words = on;
}

/**
 * Whether this is no x86. There the NaN that the processor itself makes has its sign bit set; on arm64 (and
 * RISC-V) it has not, and WebAssembly leaves it to the machine. `some` > 0 comes from the caller, so that
 * no compiler works this out ahead.
 */
export function likesNarrow(some: u32): bool {
  const infinity = <f32>some * f32.MAX_VALUE * f32.MAX_VALUE;
  return reinterpret<i32>(infinity - infinity) >= 0;
}
