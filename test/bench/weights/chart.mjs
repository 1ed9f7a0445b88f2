// docs/weights.svg: times as fast as int8 of each layer and coding, a panel an engine; the axis in equal ratios. Written by hand.
import { LAYER_CHOICES } from "./parts.mjs";
import { gain, rowsOf } from "./report.mjs";

const COLORS = ["#0b7a75", "#5c6ac4", "#d9822b", "#b0388a", "#8a8f98", "#c0392b"];
const LABEL = 130;
const PLOT = 330;
const PANEL = LABEL + PLOT + 30;
const TOP = 96;
const ROW = 22;
const LEAST = 0.25;
const MOST = 5.5;

const x = (times) => (Math.log(Math.min(MOST, Math.max(LEAST, times)) / LEAST) / Math.log(MOST / LEAST)) * PLOT;

export function renderChart(results) {
  const { engines, machine, date } = results;
  const count = rowsOf(results, engines[0].build, "layers").length;
  const [width, height] = [PANEL * engines.length + 10, TOP + ROW * count + 60];
  const title = "Weights of few bits: times as fast as int8, layer by layer";
  const keys = LAYER_CHOICES.map(
    (choice, i) =>
      `<circle cx="${20 + i * 110}" cy="${height - 16}" r="5" fill="${COLORS[i]}"/><text x="${30 + i * 110}" y="${height - 12}">${choice}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
<style>text{font:12px system-ui,sans-serif;fill:#222}.title{font-size:16px;font-weight:600}.sub{fill:#666}.panel{font-weight:600}</style>
<rect width="100%" height="100%" fill="#fff"/>
<text x="12" y="24" class="title">${title}</text>
<text x="12" y="43" class="sub">${machine.cpu} (${machine.features.join(", ")}), one thread, ${date.slice(0, 10)}</text>
${engines.map((engine, i) => panel(results, engine, i * PANEL, height)).join("\n")}
${keys.join("\n")}
</svg>
`;
}

function panel(results, { build, version }, left, height) {
  const parts = [`<text x="${left + LABEL}" y="${TOP - 26}" class="panel">Node ${version}, ${build}</text>`];
  for (const times of [0.25, 0.5, 1, 2, 4]) {
    const at = (left + LABEL + x(times)).toFixed(1);
    parts.push(
      `<line x1="${at}" x2="${at}" y1="${TOP - 6}" y2="${height - 50}" stroke="${times === 1 ? "#444" : "#ddd"}"/>`,
      `<text x="${at}" y="${TOP - 10}" text-anchor="middle" class="sub">× ${times}</text>`,
    );
  }
  for (const [i, row] of rowsOf(results, build, "layers").entries()) {
    const y = TOP + ROW * i + 12;
    parts.push(
      `<text x="${left + LABEL - 8}" y="${y + 4}" text-anchor="end">${row.name}</text>`,
      `<line x1="${left + LABEL}" x2="${left + LABEL + PLOT}" y1="${y}" y2="${y}" stroke="#eee"/>`,
      ...LAYER_CHOICES.map(
        (choice, c) =>
          `<circle cx="${(left + LABEL + x(gain(row, choice))).toFixed(1)}" cy="${y}" r="4.5" fill="${COLORS[c]}" fill-opacity="0.85"/>`,
      ),
    );
  }
  return parts.join("\n");
}
