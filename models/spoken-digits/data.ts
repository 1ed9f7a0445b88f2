// Spoken digits: log-mel spectra of the Free Spoken Digit Dataset (CC BY-SA 4.0), 48 frames of 32 bands, six speakers.
// Invariant: of each speaker and digit the same share is held out: recordings 0 … 8 of the 45 in their order are the test
// part and the next 4 the validation part.
import { join } from "node:path";
import { type Dataset, folderOf, readVerified, type Samples, select } from "../../tools/train/index.ts";

const FOLDER = join(folderOf(import.meta.url), "../../../shared/data/datasets/fsdd_logmel");
const SUMS = {
  "x.u8.bin": "c637a75d22a5e689029281957f973205dd9c1168fc18b01c6e26f1d026878467",
  "y.u8.bin": "293eac6abb8ac1d07da1f08bf97c771ef90a793ffe9090629ca66f6ae2cd2665",
  "speaker.u8.bin": "b8aa972606800ad4dde77cd543a045a380b12de085feb08d0eb48401b5d5d32f",
} as const;
const TEST = 9;
const VALIDATION = 4;

export function spokenDigits(): Dataset {
  const read = (name: keyof typeof SUMS): Buffer => readVerified(join(FOLDER, name), SUMS[name]);
  const [x, y, speaker] = [read("x.u8.bin"), read("y.u8.bin"), read("speaker.u8.bin")];
  // bytes are log energies in even steps; about −1 … 1 trains well
  const all: Samples = {
    x: Float32Array.from(x, (q) => q / 127.5 - 1),
    shape: [48, 32],
    y: Int32Array.from(y),
    count: y.length,
  };
  const seen = new Map<number, number>();
  const parts: [test: number[], validation: number[], train: number[]] = [[], [], []];
  for (let i = 0; i < all.count; i++) {
    const group = speaker[i]! * 10 + y[i]!;
    const order = seen.get(group) ?? 0;
    seen.set(group, order + 1);
    parts[order < TEST ? 0 : order < TEST + VALIDATION ? 1 : 2].push(i);
  }
  const [test, validation, train] = parts.map((indices) => select(all, indices)) as [Samples, Samples, Samples];
  const source =
    "Free Spoken Digit Dataset (CC BY-SA 4.0), log-mel spectra; of each speaker and digit 9 of 45 recordings are the test part, 4 validation";
  return { train, validation, test, classes: Array.from({ length: 10 }, (_, digit) => String(digit)), source };
}
