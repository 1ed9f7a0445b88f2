// A compressed model as one page: what was tried at which size and speed, which layer lost what, and what the weights and
// activations look like inside their ranges.

import { CoreRun } from "../../evaluate/coreRun.ts";
import { type Comparison, dataOf, realsOf } from "../../evaluate/layerErrors.ts";
import type { Graph, Tensor } from "../../graph/graph.ts";
import { weightedLayers } from "../../quantize/layers.ts";
import { barChart, scatter } from "./bars.ts";
import { escapeText, histogram } from "./chart.ts";
import { layerSection } from "./layerReport.ts";
import { facts, page, type Section } from "./page.ts";

const MOST_HISTOGRAMS = 32;

export interface VariantPoint {
  readonly name: string;
  readonly bytes: number;
  readonly ms: number;
  /** 0 … 1; undefined where there are no labels */
  readonly accuracy: number | undefined;
  readonly isChosen?: boolean;
  readonly isOnFront?: boolean;
}

export interface CompressionReport {
  readonly name: string;
  readonly lead: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly variants: readonly VariantPoint[];
  readonly maxBytes?: number | undefined;
  readonly maxMs?: number | undefined;
  readonly comparison: Comparison;
  readonly graph: Graph;
  /** sets of real inputs */
  readonly inputs: readonly (readonly Float32Array[])[];
  readonly steps: readonly { readonly name: string; readonly bytes: number; readonly ms: number }[];
}

export function compressionReport(report: CompressionReport): string {
  const sections: Section[] = [
    { title: "Result", html: facts(report.facts) },
    { title: "Variants", html: variants(report) },
    layerSection(report.comparison, "Error by layer, against the model before"),
    { title: "Size and time by layer", html: layersOf(report) },
    { title: "Weights", html: weights(report.graph) },
    { title: "Activations, within their ranges", html: activations(report.graph, report.inputs) },
  ];
  return page(report.name, report.lead, sections);
}

function variants({ variants: points, maxBytes, maxMs }: CompressionReport): string {
  const rows = points.map(
    ({ name, bytes, ms, accuracy, isChosen }) =>
      `<tr><th>${isChosen ? "▶ " : ""}${escapeText(name)}</th><td>${accuracy === undefined ? "–" : `${(accuracy * 100).toFixed(2)} %`}</td><td>${bytes.toLocaleString("en")}</td><td>${ms.toPrecision(3)}</td></tr>`,
  );
  const judged = points.flatMap((point) =>
    point.accuracy === undefined ? [] : [{ ...point, y: point.accuracy * 100 }],
  );
  const charts = [
    scatter(
      "Accuracy, %, against bytes",
      "bytes",
      "",
      judged.map((point) => ({ ...point, x: point.bytes })),
      maxBytes,
    ),
    scatter(
      "Accuracy, %, against milliseconds",
      "ms a run",
      "",
      judged.map(({ isOnFront: _, ...point }) => ({ ...point, x: point.ms })),
      maxMs,
    ),
  ];
  return `${charts.join("")}<p>“before” and “this model” on held-out data; all others on the samples that the choice was made by.</p><table><tr><th>variant</th><th>accuracy</th><th>bytes</th><th>ms</th></tr>${rows.join("")}</table>`;
}

function layersOf({ steps }: CompressionReport): string {
  const shown = steps.filter(({ bytes, ms }) => bytes > 0 || ms > 0);
  return (
    barChart({
      title: "Bytes of constants",
      series: ["bytes"],
      rows: shown.map(({ name, bytes }) => ({ name, values: [bytes] })),
    }) +
    barChart({
      title: "Time on this machine",
      series: ["ms"],
      rows: shown.map(({ name, ms }) => ({ name, values: [ms] })),
    })
  );
}

function realWeights({ data, quant, shape }: Tensor): Float32Array {
  const channels = quant!.scale.length;
  const inner = quant!.axis === 0 ? data!.length / channels : shape.slice(quant!.axis + 1).reduce((a, b) => a * b, 1);
  return Float32Array.from(data as Int8Array, (q, i) => {
    const c = Math.floor(i / inner) % channels;
    return (q - quant!.zeroPoint[c]!) * quant!.scale[c]!;
  });
}

function weights(graph: Graph): string {
  return weightedLayers(graph)
    .slice(0, MOST_HISTOGRAMS)
    .map(({ name, inputs }) => {
      const tensor = graph.tensors[inputs[1]!]!;
      const values = realWeights(tensor);
      const zeros = values.reduce((count, v) => count + (v === 0 ? 1 : 0), 0) / values.length;
      return histogram(`${name}: ${tensor.coding ?? "int8"}, ${(zeros * 100).toFixed(0)} % zero`, values);
    })
    .join("");
}

/** Histograms of the values that come, titled with the range that the integers can hold. */
function activations(graph: Graph, inputs: CompressionReport["inputs"]): string {
  const watched = [...new Set(graph.nodes.flatMap(({ outputs }) => outputs))]
    .filter((id) => graph.tensors[id]!.dtype === "int8" && graph.tensors[id]!.quant)
    .slice(0, MOST_HISTOGRAMS);
  if (watched.length === 0) return "";
  const run = new CoreRun({ ...graph, outputs: watched });
  const seen = watched.map((): Float32Array[] => []);
  for (const set of inputs.slice(0, 16)) {
    const given = graph.inputs.map((id, i) => dataOf(graph.tensors[id]!, set[i]!));
    for (const [i, data] of run.run(given).entries()) seen[i]!.push(realsOf(graph.tensors[watched[i]!]!, data));
  }
  return watched
    .map((id, i) => {
      const { name, quant } = graph.tensors[id]!;
      const [scale, zero] = [quant!.scale[0]!, quant!.zeroPoint[0]!];
      const all = new Float32Array(seen[i]!.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const values of seen[i]!) {
        all.set(values, at);
        at += values.length;
      }
      return histogram(
        `${name}: ${(scale * (-128 - zero)).toPrecision(3)} … ${(scale * (127 - zero)).toPrecision(3)}`,
        all,
      );
    })
    .join("");
}
