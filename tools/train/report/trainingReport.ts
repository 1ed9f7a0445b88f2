// A training run as one page: how it learned, what it gets wrong, and what its weights look like.

import { encode } from "fast-png";
import { elementCount } from "../../graph/graph.ts";
import { confusion, predictions, rocAuc, topK } from "../metrics.ts";
import type { Scores, Trainer } from "../trainer.ts";
import type { Card } from "./card.ts";
import { confusionTable, escapeText, histogram, lineChart, thumbnail } from "./chart.ts";
import { facts, page, type Section } from "./page.ts";

const MOST_POINTS = 400;
const MOST_EXAMPLES = 40;
const MOST_HISTOGRAMS = 24;

/** Means of equal runs of steps, so that a long training stays a small page. */
function thinned(values: readonly number[]): [number, number][] {
  const run = Math.max(1, Math.ceil(values.length / MOST_POINTS));
  return Array.from({ length: Math.ceil(values.length / run) }, (_, i) => {
    const part = values.slice(i * run, (i + 1) * run);
    return [(i + 0.5) * run, part.reduce((sum, v) => sum + v, 0) / part.length];
  });
}

function curves({ progress, recipe, stepsPerEpoch, totalSteps }: Trainer): string {
  const { epochs, losses, norms } = progress;
  const charts = [
    lineChart({
      title: "Loss of each step",
      x: "step",
      logarithmic: true,
      lines: [{ name: "training", points: thinned(losses) }],
    }),
    lineChart({
      title: "Loss of each epoch",
      x: "epoch",
      logarithmic: true,
      lines: [
        { name: "training", points: epochs.map(({ epoch, loss }) => [epoch + 1, loss]) },
        { name: "validation", points: epochs.map(({ epoch, validationLoss }) => [epoch + 1, validationLoss]) },
      ],
    }),
    lineChart({
      title: "Validation accuracy, %",
      x: "epoch",
      lines: [
        {
          name: "validation",
          points: epochs.map(({ epoch, validationAccuracy }) => [epoch + 1, (validationAccuracy ?? Number.NaN) * 100]),
        },
      ],
    }),
    lineChart({
      title: `Learning rate: ${recipe.schedule.name}`,
      x: "step",
      lines: [
        {
          name: "rate",
          points: Array.from(
            { length: Math.min(MOST_POINTS, losses.length) },
            (_, i, step = Math.floor((i * losses.length) / Math.min(MOST_POINTS, losses.length))) => [
              step,
              recipe.schedule.patience === undefined
                ? recipe.schedule.rate(step, totalSteps, 0)
                : (epochs[Math.floor(step / stepsPerEpoch)]?.rate ?? Number.NaN),
            ],
          ),
        },
      ],
    }),
    lineChart({
      title: "Length of the gradient",
      x: "step",
      logarithmic: true,
      lines: [{ name: "before clipping", points: thinned(norms) }],
    }),
  ];
  return charts.join("");
}

function examples({ data }: Trainer, { outputs }: Scores): string {
  const { test, classes } = data;
  if (!classes) return "";
  const found = predictions(outputs, classes.length);
  const wrong = Array.from(found.keys()).filter((i) => found[i] !== test.y[i]);
  if (wrong.length === 0) return "<p>None of the test samples.</p>";
  const size = elementCount(test.shape);
  const shown = wrong.slice(0, MOST_EXAMPLES).map((i) => {
    const picture = size > 4 ? thumbnail(test.x.subarray(i * size, (i + 1) * size), test.shape, dataUrl) : "";
    return `<figure class="sample">${picture}<figcaption>${escapeText(classes[test.y[i]!]!)} → ${escapeText(classes[found[i]!]!)}</figcaption></figure>`;
  });
  return `<p>${wrong.length} of ${test.count} test samples: what it is → what it was taken for.</p>${shown.join("")}`;
}

function dataUrl(rgb: Uint8Array, width: number, height: number): string {
  const png = encode({ width, height, data: rgb, channels: 3, depth: 8 });
  return `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
}

function measures({ data }: Trainer, { outputs }: Scores): string {
  const { test, classes } = data;
  if (!classes) return "";
  const areas = classes.map((name, c) => {
    const scores = Array.from({ length: test.count }, (_, i) => {
      const row = outputs.subarray(i * classes.length, (i + 1) * classes.length);
      const most = Math.max(...row);
      return Math.exp(row[c]! - most) / row.reduce((sum, v) => sum + Math.exp(v - most), 0);
    });
    const area = rocAuc(
      scores,
      Array.from(test.y, (label) => label === c),
    );
    return `${name}: ${area === undefined ? "–" : area.toFixed(4)}`;
  });
  const second =
    classes.length > 2
      ? `<p>Right within the best two: ${(topK(outputs, test.y, classes.length, 2) * 100).toFixed(2)} %.</p>`
      : "";
  return `${confusionTable(confusion(outputs, test.y, classes.length), classes)}${second}<p>ROC-AUC of each class against the rest: ${escapeText(areas.join(" · "))}</p>`;
}

export function trainingReport(trainer: Trainer, test: Scores, card: Card): string {
  const { machine } = trainer;
  const shown = machine.trained.slice(0, MOST_HISTOGRAMS);
  const sections: Section[] = [
    { title: "Result", html: facts(card.facts) },
    { title: "How it learned", html: curves(trainer) },
    { title: "Confusion on the test data (float)", html: measures(trainer, test) },
    { title: "Examples got wrong", html: examples(trainer, test) },
    { title: "Weights", html: shown.map((p) => histogram(`${p.name} [${p.shape}]`, machine.read(p))).join("") },
    {
      title: "Gradients of the last step",
      html: shown.map((p) => histogram(`${p.name} [${p.shape}]`, machine.readGradient(p))).join(""),
    },
  ];
  return page(card.name, card.description, sections);
}
