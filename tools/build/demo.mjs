// `npm start`: reads a handwritten digit with the model in models/digits, through the package's own
// entries, as a program of its user would. Invariant: works in a pipe and without colours, too.
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { decode } from "fast-png";
import { loadModel } from "mote-runtime/node";

const MODEL = "models/digits/digits.mote";
const PICTURE = "models/digits/seven.png";
const BAR = 40;

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Two rows a line: as two colours of one half block, or as the shade of their mean. */
function draw({ width, height, data }) {
  const inColour = process.stdout.isTTY && process.stdout.getColorDepth() >= 24;
  const pixel = (x, y) => (y < height ? data[y * width + x] : 0);
  const grey = (value) => `2;${value};${value};${value}`;
  const lines = [];
  for (let y = 0; y < height; y += 2) {
    let line = "";
    for (let x = 0; x < width; x++) {
      const [upper, lower] = [pixel(x, y), pixel(x, y + 1)];
      if (inColour) line += `\x1b[38;${grey(upper)};48;${grey(lower)}m▀`;
      else line += " ░▒▓█"[Math.round(((upper + lower) / 510) * 4)];
    }
    lines.push(`  │${line}${inColour ? "\x1b[0m" : ""}│`);
  }
  const edge = "─".repeat(width);
  return [`  ┌${edge}┐`, ...lines, `  └${edge}┘`].join("\n");
}

async function main() {
  const missing = [MODEL, PICTURE].find((path) => !existsSync(at(path)));
  if (missing) throw new Error(`${missing} is missing; get it back with: git checkout -- models/digits`);
  const picture = decode(readFileSync(at(PICTURE)));

  const loading = performance.now();
  const model = await loadModel(at(MODEL));
  const session = await model.createSession();
  const running = performance.now();
  const [input] = model.inputs;
  const { mean, std } = input.meaning;
  const outputs = session.run(Float32Array.from(picture.data, (pixel) => (pixel - mean) / std));
  const done = performance.now();

  const [{ name, labels, scale = 1, zeroPoint = 0, dtype }] = model.outputs;
  const scores = Array.from(outputs[name], (q) => (dtype === "float32" ? q : scale * (q - zeroPoint)));
  const best = scores.indexOf(Math.max(...scores));
  const width = Math.max(...labels.map((label) => label.length));

  console.log(`${basename(PICTURE)}, ${picture.width}×${picture.height} pixels:\n`);
  console.log(draw(picture));
  console.log(`\n${MODEL}, ${readFileSync(at(MODEL)).length} bytes, on the ${session.build} build:\n`);
  for (const [i, score] of scores.entries()) {
    const bar = "█".repeat(Math.round(score * BAR)) || "▏";
    console.log(`  ${labels[i].padStart(width)} ${bar.padEnd(BAR)} ${(score * 100).toFixed(1).padStart(5)} %`);
  }
  console.log(
    `\nIt is a ${labels[best]}: loaded in ${(running - loading).toFixed(1)} ms, first run ${(done - running).toFixed(2)} ms.`,
  );
  console.log(`\nA picture of your own:  npx mote run ${MODEL} --input picture.png`);
  console.log("                        (a light digit on a dark ground, as above)");
  console.log(`What the model does:    npx mote explain ${MODEL}`);
}

main().catch((error) => {
  console.error(`mote: ${error.message}`);
  process.exitCode = 1;
});
