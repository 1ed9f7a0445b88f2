// Measures one entry (a peer, a variant, a model) in this process or page: cold start, memory, a check of the
// answer, and only then the time. The same code in Node and in a page; called by guest/node.mjs and page.mjs.

/** milliseconds that one sample lasts at least: far above the coarsest clock, far below a time slice */
const SAMPLE_MS = 2;
const now = () => performance.now();

/**
 * @param peer a module of ../peers: `input(task, bytes)` and `open(task, io, input)`
 * @param io what differs between Node and a page: `engine`, `url`, `bytes`, `first`
 */
export async function measure(peer, task, io) {
  const memories = watchMemories();
  const input = peer.input(task, task.input ? await io.bytes(task.input) : undefined);
  await io.before();

  const started = now();
  const opened = await peer.open(task, io, input);
  await opened.run();
  const coldMs = now() - started;

  const rss = await io.first();
  const memory = { wasmBytes: Math.max(0, ...memories.map(({ buffer }) => buffer.byteLength)), ...rss };
  const answer = opened.passed ? { passed: opened.passed() } : judge(opened.output(), task);
  const result = { build: opened.build, coldMs, memory, answer };
  if (!answer.passed) return { ...result, error: `wrong answer: ${JSON.stringify(answer)}` };
  return { ...result, ...(await time(opened.run, task)) };
}

/** Minimum and median milliseconds of a run. A run that returns no promise is not waited for. */
async function time(run, { warmSeconds, seconds }) {
  const runMs = await warmUp(run, warmSeconds * 1000);
  const batch = Math.max(1, Math.round(SAMPLE_MS / runMs));
  const samples = [];
  const end = now() + seconds * 1000;
  while (now() < end || samples.length < 5) {
    const started = now();
    for (let i = 0; i < batch; i++) {
      const pending = run();
      if (pending) await pending;
    }
    samples.push((now() - started) / batch);
  }
  samples.sort((a, b) => a - b);
  return { minMs: samples[0], medianMs: samples[samples.length >> 1], samples: samples.length, batch };
}

/**
 * Runs until it gets no faster, because a large module may be compiled for seconds in the background: windows of a
 * third of the time given, at least three and at most fifteen.
 * @returns milliseconds of a run
 */
async function warmUp(run, ms) {
  let fastest = Infinity;
  for (let window = 0; window < 15; window++) {
    let runs = 0;
    const started = now();
    while (now() - started < ms / 3 || runs === 0) {
      const pending = run();
      if (pending) await pending;
      runs++;
    }
    const mean = (now() - started) / runs;
    if (window >= 2 && mean > fastest * 0.95) return Math.min(mean, fastest);
    fastest = Math.min(mean, fastest);
  }
  return fastest;
}

/**
 * Compares with the published answer, in steps of the quantized output: nets differ by a few steps where rounding
 * rules do, and a float twin by its quantization error. With `golden`, every value must be that one.
 */
function judge(output, { expected, float, golden }) {
  const { ref, outScale, outZeroPoint, classifies } = expected;
  const shift = shiftOf(expected.dtype, output);
  const steps = Array.from(output, (q) => (output instanceof Float32Array ? q / outScale + outZeroPoint : q + shift));
  const diffs = ref.map((value, i) => Math.abs(steps[i] - value));
  const meanDiff = diffs.reduce((a, b) => a + b, 0) / ref.length;
  const sameClass = !classifies || steps[ref.indexOf(Math.max(...ref))] === Math.max(...steps);
  const equalsGolden = golden?.every((value, i) => value === output[i]);
  const passed = sameClass && meanDiff <= (float ? 16 : 4) && equalsGolden !== false && steps.length === ref.length;
  return { passed, maxDiff: Math.max(...diffs), meanDiff, sameClass, equalsGolden };
}

function shiftOf(dtype, output) {
  if (dtype === "int8" && output instanceof Uint8Array) return -128;
  return dtype === "uint8" && output instanceof Int8Array ? 128 : 0;
}

/** Every WebAssembly memory that is made from here on, by whatever way. */
function watchMemories() {
  const memories = [];
  const keep = (instance) => {
    for (const value of Object.values(instance.exports))
      if (value instanceof WebAssembly.Memory && !memories.includes(value)) memories.push(value);
    return instance;
  };
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const original = WebAssembly[name];
    WebAssembly[name] = async (...args) => {
      const made = await original.apply(WebAssembly, args);
      keep(made.instance ?? made);
      return made;
    };
  }
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct: (target, args) => keep(new target(...args)),
  });
  WebAssembly.Memory = new Proxy(WebAssembly.Memory, {
    construct: (target, args) => {
      const memory = new target(...args);
      memories.push(memory);
      return memory;
    },
  });
  return memories;
}
