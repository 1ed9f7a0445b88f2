// The machine's own peak, as WebAssembly sees it: how many multiply-accumulates a nanosecond
// `i32x4.dot_i16x8_s` and `i32x4.add` make on registers alone, without a load, a store or a widening.
//
// The kernels are assembled here by hand. Operands change all the time, so that no engine moves a product out
// of the loop, and no chain is long enough for latency to matter:
//
//   dot      N accumulators, 14 - N weights. Round s multiplies a[s] by every weight and adds to the accumulators
//            that are not due in this round or the next three.
//   relaxed  1 weight, N accumulators: a[k] = relaxed_dot_i8x16_i7x16_add(a[k + 1], w, a[k]).
//
// Several N are tried, and the best is the peak.

const ITERATIONS = 20_000;
const KINDS = {
  dot: { macs: 8, sizes: [6, 7, 8], program: dotProgram },
  relaxed: { macs: 16, sizes: [8, 12, 13], program: relaxedProgram },
};

const V128 = 0x7b;
const I32 = 0x7f;
const simd = (op) => [0xfd, ...unsigned(op)];
const DOT = simd(0xba);
const ADD = simd(0xae);
const XOR = simd(0x51);
const RELAXED_DOT_ADD = simd(0x113);
const get = (local) => [0x20, local];
const set = (local) => [0x21, local];

/** @returns MACs per nanosecond of both; null for relaxed where the engine does not have it */
export function peak({ seconds = 1 }) {
  const best = (kind) => {
    const { sizes } = KINDS[kind];
    return Math.max(...sizes.map((size) => rate(kind, size, (seconds * 500) / sizes.length)));
  };
  return { dot: best("dot"), relaxed: WebAssembly.validate(kernel("relaxed", 8).bytes) ? best("relaxed") : null };
}

function rate(kind, size, shareMs) {
  const { bytes, products } = kernel(kind, size);
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  const macs = ITERATIONS * products * KINDS[kind].macs;
  let best = Infinity;
  const end = performance.now() + shareMs;
  // the first call is a warm-up: an engine may compile the loop while it runs
  for (let call = 0; call < 3 || performance.now() < end; call++) {
    const started = performance.now();
    run(ITERATIONS);
    if (call > 0) best = Math.min(best, performance.now() - started);
  }
  return macs / best / 1e6;
}

/** Locals: 0 the counter, then the accumulators, then the weights. */
function dotProgram(accumulators) {
  const REST = 4;
  const weights = 14 - accumulators;
  const rounds = range(accumulators * 2);
  const code = rounds.flatMap((round) =>
    range(weights).flatMap((w) => {
      const x = 1 + (round % accumulators);
      const sum = 1 + ((round + REST + (w % (accumulators - REST))) % accumulators);
      return [...get(sum), ...get(x), ...get(1 + accumulators + w), ...DOT, ...ADD, ...set(sum)];
    }),
  );
  return { code, accumulators, locals: accumulators + weights, products: rounds.length * weights };
}

function relaxedProgram(accumulators) {
  const steps = range(accumulators * 4);
  const code = steps.flatMap((step) => {
    const [own, next] = [1 + (step % accumulators), 1 + ((step + 1) % accumulators)];
    return [...get(next), ...get(accumulators + 1), ...get(own), ...RELAXED_DOT_ADD, ...set(own)];
  });
  return { code, accumulators, locals: accumulators + 1, products: steps.length };
}

/** A module with one function, run(iterations): i32. */
function kernel(kind, size) {
  const { code, accumulators, locals, products } = KINDS[kind].program(size);
  const constant = (seed) => [...simd(0x0c), ...range(16).map((i) => (seed * 37 + i * 11) & 127)];
  const body = [
    ...range(locals).flatMap((k) => [...constant(k + 1), ...set(k + 1)]),
    ...[0x03, 0x40], // loop
    ...code,
    ...[...get(0), 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0], // br_if while --counter
    0x0b,
    ...get(1),
    ...range(accumulators - 1).flatMap((k) => [...get(2 + k), ...XOR]),
    ...[...simd(0x1b), 0], // lane 0, so that every accumulator is needed
    0x0b,
  ];
  const func = [1, ...unsigned(locals), V128, ...body];
  const bytes = Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, I32, 1, I32]),
    ...section(3, [1, 0]),
    ...section(7, [1, 3, ...new TextEncoder().encode("run"), 0, 0]),
    ...section(10, [1, ...unsigned(func.length), ...func]),
  ]);
  return { bytes, products };
}

const range = (count) => Array.from({ length: count }, (_, i) => i);
const section = (id, bytes) => [id, ...unsigned(bytes.length), ...bytes];

/** LEB128. */
function unsigned(value) {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}
