// `npm run bench:optimizers`: all optimizers and all schedules side by side on XOR and on digits, and what dropout and early
// stopping do for a small training set, as one page: .bench/optimizers.html.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as train from "../../../dist/tools/train/index.js";
import { openRecipe } from "../../../dist/tools/train/recipeFile.js";
import { escapeText, lineChart } from "../../../dist/tools/train/report/chart.js";
import { page } from "../../../dist/tools/train/report/page.js";
import { OWN, ROOT } from "../places.mjs";

const { adagrad, adam, adamw, constant, cosine, dense, dropout, exponential, flatten, metrics, oneCycle } = train;
const { plateau, rmsprop, select, sequential, sgd, step, Trainer, warmUp } = train;
const SEEDS = [0, 1, 2];

const OPTIMIZERS = {
  "gradient descent": [sgd(), 0.5, 0.5, "all"],
  sgd: [sgd(), 0.5, 0.1],
  momentum: [sgd({ momentum: 0.9 }), 0.1, 0.02],
  nesterov: [sgd({ momentum: 0.9, nesterov: true }), 0.1, 0.02],
  adagrad: [adagrad(), 0.2, 0.02],
  rmsprop: [rmsprop(), 0.02, 0.001],
  adam: [adam(), 0.05, 0.002],
  adamw: [adamw(), 0.05, 0.002],
  "l-bfgs": ["lbfgs", 1, 1, "all"],
};
const SCHEDULES = (rate, steps) => [
  constant(rate),
  step(rate),
  exponential(rate),
  cosine(rate),
  oneCycle(rate),
  plateau(rate, { patience: 2 }),
  warmUp(Math.round(steps / 10), cosine(rate)),
];

function run(recipe, data, seed = 0) {
  const trainer = new Trainer({ name: "compared", description: "", data: () => data, ...recipe }, data, seed);
  while (!trainer.isDone) trainer.step();
  const { epochs, losses } = trainer.progress;
  trainer.finish();
  return { epochs, losses, test: trainer.evaluate(data.test) };
}

const percent = (share) => `${(share * 100).toFixed(2)} %`;
const table = (heads, rows) =>
  `<table><tr>${heads.map((h) => `<th>${escapeText(h)}</th>`).join("")}</tr>${rows.map((row) => `<tr>${row.map((cell) => `<td>${escapeText(String(cell))}</td>`).join("")}</tr>`).join("")}</table>`;
const curve = (values) => values.map((value, i) => [i + 1, value]);

async function compare(title, file, { net, epochs, batch, few }) {
  const { recipe } = await openRecipe(`${ROOT}models/${file}`, OWN);
  const whole = await recipe.data();
  const data = few ? { ...whole, train: few(whole.train) } : whole;
  const column = file.startsWith("xor") ? 1 : 2;
  const sections = [];
  const results = (runs) => [
    lineChart({
      title: `${title}: loss of each epoch`,
      x: "epoch",
      logarithmic: true,
      lines: runs.map(([name, { epochs: all }]) => ({ name, points: curve(all.map(({ loss }) => loss)) })),
    }),
    table(
      ["", "last loss", "test accuracy"],
      runs.map(([name, { losses, test }]) => [name, losses.at(-1).toExponential(2), percent(test.accuracy)]),
    ),
  ];
  const optimizers = Object.entries(OPTIMIZERS).map(([name, parts]) => {
    // the second-order one has its line search, the full batch one step an epoch: both get as many epochs
    const [optimizer, , , size = batch] = parts;
    console.log(`${title}: ${name}`);
    return [name, run({ net, epochs, batch: size, optimizer, schedule: constant(parts[column]) }, data)];
  });
  sections.push({ title: `${title}: optimizers`, html: results(optimizers).join("") });
  const rate = column === 1 ? 0.05 : 0.002;
  const steps = epochs * Math.max(1, Math.floor(data.train.count / (batch === "all" ? data.train.count : batch)));
  const schedules = SCHEDULES(rate, steps).map((schedule) => {
    console.log(`${title}: ${schedule.name}`);
    return [schedule.name, run({ net, epochs, batch, optimizer: adam(), schedule }, data)];
  });
  sections.push({ title: `${title}: schedules, with Adam`, html: results(schedules).join("") });
  return sections;
}

/** 200 digits to learn from: what helps? */
async function smallSet() {
  const { recipe } = await openRecipe(`${ROOT}models/mnist/mlp.ts`, OWN);
  const whole = await recipe.data();
  const data = {
    ...whole,
    train: select(
      whole.train,
      Array.from({ length: 200 }, (_, i) => i * 36),
    ),
  };
  const net = (rate) => () => sequential(flatten(), dense(256, { activation: "relu" }), dropout(rate), dense(10));
  const kinds = {
    nothing: {},
    "early stopping": { patience: 8 },
    dropout: { net: net(0.5) },
    "dropout and early stopping": { net: net(0.5), patience: 8 },
    augmentation: { augment: recipe.augment },
  };
  const lines = [];
  const rows = Object.entries(kinds).map(([name, changes]) => {
    const runs = SEEDS.map((seed) =>
      run({ net: net(0), epochs: 120, batch: 20, optimizer: adam(), schedule: constant(1e-3), ...changes }, data, seed),
    );
    const { mean, deviation } = metrics.meanAndDeviation(runs.map(({ test }) => test.accuracy));
    const loss = metrics.meanAndDeviation(runs.map(({ test }) => test.loss)).mean;
    lines.push({ name, points: curve(runs[0].epochs.map(({ validationLoss }) => validationLoss)) });
    console.log(`200 digits, ${name}: ${percent(mean)} ± ${(deviation * 100).toFixed(2)}, loss ${loss.toFixed(3)}`);
    return [name, percent(mean), `${(deviation * 100).toFixed(2)}`, loss.toFixed(3), runs[0].epochs.length];
  });
  const chart = lineChart({ title: "Validation loss", x: "epoch", lines });
  return {
    title: "Learning from 200 digits",
    html: chart + table(["", "test accuracy, mean of three seeds", "±", "test loss", "epochs"], rows),
  };
}

mkdirSync(OWN, { recursive: true });
const sections = [
  ...(await compare("XOR", "xor/recipe.ts", {
    net: () => sequential(dense(8, { activation: "tanh" }), dense(2)),
    epochs: 200,
    batch: "all",
  })),
  ...(await compare("Digits", "mnist/mlp.ts", {
    net: () => sequential(flatten(), dense(32, { activation: "relu" }), dense(10)),
    epochs: 12,
    batch: 64,
    few: (samples) =>
      select(
        samples,
        Array.from({ length: 2000 }, (_, i) => Math.floor(i * 3.6)),
      ),
  })),
  await smallSet(),
];
const path = `${OWN}optimizers.html`;
writeFileSync(
  path,
  page("Optimizers and schedules", "Each beside the others, on the same net, data, order and first weights.", sections),
);
console.log(`Written: ${fileURLToPath(new URL(`file://${path}`))}`);
