// docs/bench.svg: how long each runtime takes, with Mote as 1, for each model in one engine. Written by hand.
import { showMs } from "./markdown.mjs";

const COLORS = { mote: "#0b7a75", litert: "#d9822b", ort: "#5c6ac4", tfjs: "#b0388a", native: "#8a8f98" };
const BAR = 15;
const GAP = 3;
const LABEL = 225;
const WIDTH = 900;
const HEAD = 58;

/** @returns the picture, or undefined where nothing was measured */
export function renderChart({ summary, models, machine, date, versions, options }, engine) {
  const longest = 8;
  const unit = (WIDTH - LABEL - 150) / longest;
  const parts = [];
  let y = HEAD;
  for (const { name } of models) {
    const rows = summary.rows.filter((row) => row.model === name && row.minMs && isShown(row, engine));
    const mote = rows.find(({ peer }) => peer === "mote");
    if (!mote) continue;
    rows.sort((a, b) => a.minMs - b.minMs);
    parts.push(`<text x="12" y="${y + 16}" class="model">${name}</text>`);
    for (const row of rows) {
      const times = row.minMs / mote.minMs;
      const width = Math.max(1, Math.min(times, longest) * unit);
      const more = times > longest ? " »" : "";
      parts.push(
        `<text x="${LABEL - 6}" y="${y + 12}" text-anchor="end">${row.label}</text>`,
        `<rect x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2" fill="${COLORS[row.peer]}"/>`,
        `<text x="${(LABEL + width + 5).toFixed(1)}" y="${y + 12}">${times.toFixed(2)} × · ${showMs(row.minMs)} ms${more}</text>`,
      );
      y += BAR + GAP;
    }
    y += 12;
  }
  if (parts.length === 0) return undefined;
  const one = LABEL + unit;
  const title = `Time of one inference, Mote = 1 (shorter is faster)`;
  const features = [...machine.features, ...(options.avx2 ? ["AVX-VNNI off"] : [])].join(", ");
  const sub = `${engine} ${versions[engine]}, ${machine.cpu} (${features}), one thread, ${date.slice(0, 10)}; minimum times`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-label="${title}">
<style>text{font:12px system-ui,sans-serif;fill:#222;paint-order:stroke;stroke:#fff;stroke-width:3px}.title{font-size:16px;font-weight:600}.sub{fill:#666}.model{font-weight:600;font-size:13px}</style>
<rect width="100%" height="100%" fill="#fff"/>
<text x="12" y="24" class="title">${title}</text>
<text x="12" y="43" class="sub">${sub}</text>
<line x1="${one}" x2="${one}" y1="${HEAD - 6}" y2="${y - 8}" stroke="#0b7a75" stroke-dasharray="3 3"/>
${parts.join("\n")}
</svg>
`;
}

/** The chosen build of Mote and one row of each peer and kind: its faster build. */
function isShown({ engine, peer, variant, build }, wanted) {
  if (engine === "native") return true;
  if (engine !== wanted) return false;
  if (peer === "mote") return variant === "auto";
  return peer !== "litert" || variant === "fp32" || build === "relaxed" || wanted === "node20";
}
