// Japanese Vowels: nine speakers, 270 training and 370 test utterances of 25 steps of 12 cepstral coefficients
// (Kudo, Toyama & Shimbo, 1999; UCI, CC BY 4.0). Invariant: the data set's own split; a fifth of the training part validates.
import { join } from "node:path";
import { type Dataset, folderOf, readVerified, type Samples, split } from "../../tools/train/index.ts";

const FOLDER = join(folderOf(import.meta.url), "../../../shared/data/datasets/japanese_vowels");
const SUMS = {
  "x_train.f32.bin": "dc42f971c2d5a914a5f27c9617d4a1db71500aaaa0311402433649ef2a8b0740",
  "y_train.u8.bin": "357a9a0ea9690a5cc3d3899e108581009c6fef9601ea08295799c6dc2d0c1f47",
  "x_test.f32.bin": "262afd17a50e4b4e93a1c231ec8d4e25a0f5954c1de2dea3c3a42aff6333967b",
  "y_test.u8.bin": "6f93d930a85924b8b707ee3118d063a3c8f3b3d0e40f3b2dac53e33686f24c21",
} as const;

function part(name: "train" | "test"): Samples {
  const x = readVerified(join(FOLDER, `x_${name}.f32.bin`), SUMS[`x_${name}.f32.bin`]);
  const y = readVerified(join(FOLDER, `y_${name}.u8.bin`), SUMS[`y_${name}.u8.bin`]);
  return { x: new Float32Array(Uint8Array.from(x).buffer), shape: [25, 12], y: Int32Array.from(y), count: y.length };
}

export function vowels(): Dataset {
  const [train, validation] = split(part("train"), 0.15, 20240229);
  const classes = Array.from({ length: 9 }, (_, speaker) => `speaker ${speaker + 1}`);
  const source =
    "Japanese Vowels (Kudo, Toyama & Shimbo; UCI, CC BY 4.0), each utterance brought to 25 steps; its own split into training and test";
  return { train, validation, test: part("test"), classes, source };
}
