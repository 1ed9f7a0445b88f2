// The nets of `npm run bench:train` and their numbers: every engine starts from the same weights and samples, so that
// losses and gradients can be compared before anything is timed. torch.py has the same in Python.

/** Parameters in the order of their use: name, shape, limit of the values. */
export const NETS = {
  cnn: {
    input: [64, 28, 28, 1],
    parameters: [
      ["k1", [16, 3, 3, 1], 0.5],
      ["b1", [16], 0.1],
      ["k2", [32, 3, 3, 16], 0.14],
      ["b2", [32], 0.1],
      ["w1", [64, 6272], 0.02],
      ["c1", [64], 0.1],
      ["w2", [10, 64], 0.2],
      ["c2", [10], 0.1],
    ],
  },
  mlp: {
    input: [64, 784],
    parameters: [
      ["w1", [128, 784], 0.06],
      ["c1", [128], 0.1],
      ["w2", [10, 128], 0.15],
      ["c2", [10], 0.1],
    ],
  },
  gru: {
    input: [64, 50, 16],
    parameters: [
      ["wx", [192, 16], 0.2],
      ["wh", [192, 64], 0.12],
      ["bx", [192], 0.1],
      ["bh", [192], 0.1],
      ["w", [10, 64], 0.2],
      ["c", [10], 0.1],
    ],
  },
};

export const RATE = 0.01;

const sizeOf = (shape) => shape.reduce((product, n) => product * n, 1);

/** Values in −limit … limit from a hash of name and index. */
export function drawn(name, shape, limit = 1) {
  let seed = 0x811c9dc5;
  for (const unit of name) seed = Math.imul(seed ^ unit.charCodeAt(0), 0x01000193);
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    let h = seed ^ Math.imul(i, 0x9e3779b1);
    h ^= h >>> 16;
    h = Math.imul(h, 0x85ebca6b);
    h ^= h >>> 13;
    h = Math.imul(h, 0xc2b2ae35);
    h ^= h >>> 16;
    return (((h >>> 19) - 4096) / 4096) * limit;
  });
}

export const labels = Int32Array.from({ length: 64 }, (_, i) => (i * 7) % 10);

/** What is compared of a gradient: its squared length, and its product with drawn numbers. */
export function fingerprint(name, values) {
  const along = drawn(`along ${name}`, [values.length]);
  let [squares, product] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    squares += values[i] * values[i];
    product += values[i] * along[i];
  }
  return [squares, product];
}

/** Times `step` for about `seconds`, at least twice; a step may be asynchronous. */
export async function time(step, seconds) {
  const times = [];
  const end = performance.now() + seconds * 1000;
  do {
    const started = performance.now();
    await step();
    times.push(performance.now() - started);
  } while (performance.now() < end || times.length < 2);
  return times;
}

/** What an engine's process prints. */
export const report = (loss, gradients, times) => console.log(JSON.stringify({ loss, gradients, times }));
