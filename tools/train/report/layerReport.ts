// Errors by layer as a page's section: which layer did it.

import type { Comparison } from "../../evaluate/layerErrors.ts";
import { barChart } from "./bars.ts";
import { escapeText } from "./chart.ts";
import type { Section } from "./page.ts";

const decibels = (value: number): string => (Number.isFinite(value) ? value.toFixed(1) : value > 0 ? "∞" : "–");

/** The layer of the largest error of its own. */
export function worstLayer({ layers }: Comparison): string | undefined {
  return [...layers].sort((a, b) => a.alone.sqnr - b.alone.sqnr)[0]?.layer;
}

export function layerSection(comparison: Comparison, title = "Error by layer"): Section {
  const { layers, outputs, agreement, inputs } = comparison;
  if (layers.length === 0) return { title, html: "" };
  const chart = barChart({
    title: "Signal to error, dB (longer is better)",
    series: ["alone", "accumulated"],
    rows: layers.map(({ layer, alone, accumulated }) => ({ name: layer, values: [alone.sqnr, accumulated.sqnr] })),
  });
  const rows = layers.map(
    ({ layer, op, alone, accumulated }) =>
      `<tr><th>${escapeText(layer)}</th><td>${op}</td><td>${decibels(alone.sqnr)}</td><td>${alone.cosine.toFixed(5)}</td><td>${decibels(accumulated.sqnr)}</td><td>${accumulated.cosine.toFixed(5)}</td></tr>`,
  );
  const head =
    "<tr><th>layer</th><th>operator</th><th>alone, dB</th><th>cosine</th><th>accumulated, dB</th><th>cosine</th></tr>";
  const worst = worstLayer(comparison);
  const lead = `Over ${inputs} inputs. Alone: the layer gets the reference's own values. Worst alone: ${worst}. Outputs: ${outputs.map(({ sqnr }) => `${decibels(sqnr)} dB`).join(", ")}; the greatest is the same for ${(agreement * 100).toFixed(2)} %.`;
  return { title, html: `<p>${escapeText(lead)}</p>${chart}<table>${head}${rows.join("")}</table>` };
}
