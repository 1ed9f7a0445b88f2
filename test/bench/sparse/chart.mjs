// docs/sparse.svg: how many times as fast as dense each layer is at each density, a panel an engine; both axes in equal
// ratios. Written by hand.
import { ZEROS } from "./layers.mjs";
import { gain, isWinograd, TARGETS } from "./report.mjs";

const PANEL = 470;
const LEFT = 52;
const TOP = 94;
const HEIGHT = 400;
const PLOT = 270;
const LEAST = 0.25;
const MOST = 11;
const KINDS = {
  pointwise: "#0b7a75",
  "k×k": "#5c6ac4",
  "k×k, dense by Winograd": "#b0388a",
  "fully connected, one row": "#d9822b",
};

const kindOf = (layer) =>
  layer.line === 1
    ? "fully connected, one row"
    : isWinograd(layer)
      ? "k×k, dense by Winograd"
      : layer.name.includes("pw")
        ? "pointwise"
        : "k×k";

const x = (zeros) => (Math.log(1 / (1 - zeros)) / Math.log(10)) * PLOT;
const y = (times) => HEIGHT * (1 - Math.log(times / LEAST) / Math.log(MOST / LEAST));

export function renderChart({ engines, machine, date }) {
  const width = LEFT + PANEL * engines.length;
  const height = TOP + HEIGHT + 78;
  const title = "Sparse layers: times as fast as dense int8, by the part of weights that is zero";
  const panels = engines.map((engine, i) => panel(engine, LEFT + i * PANEL)).join("\n");
  const keys = Object.entries(KINDS).map(
    ([name, color], i) =>
      `<line x1="${LEFT + i * 215}" x2="${LEFT + 22 + i * 215}" y1="${height - 20}" y2="${height - 20}" stroke="${color}" stroke-width="3"/><text x="${LEFT + 28 + i * 215}" y="${height - 16}">${name}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
<style>text{font:12px system-ui,sans-serif;fill:#222}.title{font-size:16px;font-weight:600}.sub{fill:#666}.panel{font-weight:600}.label{font-size:10.5px}</style>
<rect width="100%" height="100%" fill="#fff"/>
<text x="12" y="24" class="title">${title}</text>
<text x="12" y="43" class="sub">${machine.cpu} (${machine.features.join(", ")}), one thread, ${date.slice(0, 10)}</text>
<text x="12" y="60" class="sub">Groups of 8 outputs × 4 inputs zero at random. Dashed: as many times as fast as weights are fewer. Crosses: the aim.</text>
${panels}
${keys.join("\n")}
</svg>
`;
}

function panel({ build, version, layers }, left) {
  const parts = [`<text x="${left}" y="${TOP - 10}" class="panel">Node ${version}, ${build}</text>`];
  for (const times of [0.25, 0.5, 1, 2, 4, 8]) {
    const at = (TOP + y(times)).toFixed(1);
    parts.push(
      `<line x1="${left}" x2="${left + PLOT}" y1="${at}" y2="${at}" stroke="${times === 1 ? "#444" : "#ddd"}"/>`,
    );
    parts.push(`<text x="${left - 6}" y="${Number(at) + 4}" text-anchor="end">× ${times}</text>`);
  }
  for (const zeros of ZEROS) {
    const at = (left + x(zeros)).toFixed(1);
    parts.push(`<text x="${at}" y="${TOP + HEIGHT + 18}" text-anchor="middle">${100 * zeros} %</text>`);
  }
  parts.push(`<text x="${left + PLOT / 2}" y="${TOP + HEIGHT + 35}" text-anchor="middle" class="sub">zeros</text>`);
  const ends = [0, 0.9].map((zeros) => `${(left + x(zeros)).toFixed(1)},${(TOP + y(1 / (1 - zeros))).toFixed(1)}`);
  parts.push(`<polyline points="${ends.join(" ")}" fill="none" stroke="#999" stroke-dasharray="4 4"/>`);
  const labels = layers.map((layer) => ({ layer, at: TOP + y(gain(layer, 8, 0.9)) })).sort((a, b) => a.at - b.at);
  labels.forEach((label, i) => {
    label.text = Math.max(label.at, i === 0 ? TOP + 4 : labels[i - 1].text + 12.5);
  });
  for (const { layer, at, text } of labels) {
    const color = KINDS[kindOf(layer)];
    const points = ZEROS.map(
      (zeros) => `${(left + x(zeros)).toFixed(1)},${(TOP + y(gain(layer, 8, zeros))).toFixed(1)}`,
    );
    parts.push(
      `<polyline points="${points.join(" ")}" fill="none" stroke="${color}" stroke-width="1.4" opacity="0.8"/>`,
    );
    parts.push(
      `<polyline points="${left + PLOT},${at.toFixed(1)} ${left + PLOT + 14},${text.toFixed(1)}" fill="none" stroke="${color}" opacity="0.4"/>`,
    );
    parts.push(
      `<text x="${left + PLOT + 17}" y="${(text + 4).toFixed(1)}" class="label" style="fill:${color}">${layer.name} ${gain(layer, 8, 0.9).toFixed(1)}</text>`,
    );
  }
  for (const [zeros, times] of Object.entries(TARGETS)) {
    const [cx, cy] = [left + x(Number(zeros)), TOP + y(times)];
    parts.push(`<path d="M${cx - 5} ${cy - 5}l10 10m0 -10l-10 10" stroke="#c00" stroke-width="2"/>`);
  }
  return parts.join("\n");
}
