// docs/quantization.md and its picture, from what run.ts measured. Written by hand: no library draws so little.

export interface Row {
  readonly name: string;
  /** dB over all outputs of all held-out inputs */
  readonly sqnr: number;
  /** part of the held-out inputs with the float net's largest output */
  readonly agreement: number;
  /** of the packed model */
  readonly bytes?: number;
}

export interface NetResult {
  readonly net: string;
  readonly rows: readonly Row[];
  /** ONNX Runtime's version */
  readonly ort?: string;
}

const find = ({ rows }: NetResult, name: string): Row | undefined => rows.find((row) => row.name === name);
const cell = (row: Row | undefined): string =>
  row ? `${row.sqnr.toFixed(1)} dB, ${(100 * row.agreement).toFixed(1)} %` : "–";
const decibels = (row: Row | undefined): string => (row ? row.sqnr.toFixed(1) : "–");

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join(" | ")} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

const BEST = "mse + compensated + bias";
const ORT = ["ort minmax", "ort entropy", "ort percentile"];

function bestOrt(result: NetResult): Row | undefined {
  return ORT.map((name) => find(result, name))
    .filter((row) => row !== undefined)
    .sort((a, b) => b.sqnr - a.sqnr)[0];
}

export function renderReport(results: readonly NetResult[], counts: { calibration: number; held: number }): string {
  const nets = results.map(({ net }) => net);
  const each = (name: string, show: typeof cell): string[] => results.map((result) => show(find(result, name)));
  const version = results.find(({ ort }) => ort)?.ort;
  const coded = results.filter((result) => find(result, "int4 nearest"));
  const few = ["int4", "int4:g128", "int4:g64", "int4:g32", "codebook"];
  const kilobytes = (row: Row | undefined): string => (row?.bytes ? (row.bytes / 1000).toFixed(0) : "–");
  return `<!-- made by npm run bench:quantize -- --write -->

# Post-training quantization

What a float net loses when it becomes integers: output signal to quantization error (SQNR) against the float net, and how often
the largest output is the same one, over ${counts.held} inputs held out from the ${counts.calibration} of calibration. Mote's numbers are those of the packed model run by
the core. Inputs are crops of pictures and windows of sound; no picture and no stretch of sound is on both sides
(\`test/bench/quantize/inputs.ts\`). ad01 is an autoencoder: its largest output is no class.

![SQNR of each quantizer](quantization.svg)

## Beside other quantizers, int8

${table(
  ["quantizer", ...nets],
  [
    ["published int8 twin", ...each("published", cell)],
    ...ORT.map((name) => [`ONNX Runtime ${version ?? ""}, ${name.slice(4)}`, ...each(name, cell)]),
    ["Mote as `mote import --calibrate` does", ...each("mse + bias", cell)],
    ["Mote with compensated rounding", ...each(BEST, cell)],
  ],
)}

ONNX Runtime quantizes statically, one scale a channel, signed on both sides; its models run with graph optimizations off,
which computes them exactly. The published twins were calibrated on the nets' own data, not on these inputs.

## What each part brings

Observers with weights rounded to the nearest and no correction; then corrections with the observer mse. SQNR in dB.

${table(
  ["", ...nets],
  [
    ...["minmax", "average", "percentile:99.99", "mse", "entropy"].map((name) => [name, ...each(name, decibels)]),
    ["mse, cross-layer equalization", ...each("mse + equalize", decibels)],
    ["mse, compensated rounding", ...each("mse + compensated", decibels)],
    ["mse, bias correction", ...each("mse + bias", decibels)],
    ["mse, both", ...each(BEST, decibels)],
  ],
)}

Equalization is for layers with one scale a tensor; with a scale a channel, as here, it only makes activations less even, and it is
off unless asked for. Compensation helps least where a layer's inputs are few or hardly related (kws in groups of 32).

## Weights of few bits

All layers, with bias correction; SQNR in dB, and kB of the packed model.

${table(
  ["", ...coded.flatMap(({ net }) => [net, "kB"])],
  few.flatMap((kind) =>
    ["nearest", "compensated"].map((rounding) => {
      const name = `${kind} ${rounding}`;
      return [
        `${kind}, ${rounding}`,
        ...coded.flatMap((result) => [decibels(find(result, name)), kilobytes(find(result, name))]),
      ];
    }),
  ),
)}

Groups are of inputs of one output; layers whose shape takes no groups keep a scale a channel, depthwise ones too.

## In code

\`\`\`ts
import { importModel, packGraph, parseObserver, parseWeights, postTrainingQuantize } from "mote-runtime/tools";

const graph = postTrainingQuantize(importModel(bytes, "net.tflite"), inputs, {
  observer: parseObserver("mse", "observer"), //  minmax, average, percentile, mse (default), entropy
  weights: { default: parseWeights("int4", "weights"), layers: [] },
  rounding: "compensated", //                     GPTQ; nearest is the default
  biasCorrection: true, //                        the default
});
\`\`\`

Each file of \`tools/quantize/\` says at its top what it does and whose method it is.
`;
}

const COLORS = ["#8a8f98", "#5c6ac4", "#7fb8b3", "#0b7a75"];

export function renderPicture(results: readonly NetResult[]): string {
  const [bar, gap, left, width] = [17, 3, 190, 760];
  const most = Math.max(...results.flatMap(({ rows }) => rows.map(({ sqnr }) => sqnr)));
  const unit = (width - left - 130) / most;
  const parts: string[] = [];
  let y = 44;
  for (const result of results) {
    const rows: [string, Row | undefined][] = [
      ["published int8", find(result, "published")],
      ["ONNX Runtime, its best", bestOrt(result)],
      ["Mote", find(result, "mse + bias")],
      ["Mote, compensated", find(result, BEST)],
    ];
    parts.push(`<text x="12" y="${y + 13}" class="net">${result.net}</text>`);
    for (const [i, [label, row]] of rows.entries()) {
      if (!row) continue;
      const length = Math.max(1, row.sqnr * unit);
      parts.push(
        `<text x="${left - 6}" y="${y + 13}" text-anchor="end">${label}</text>`,
        `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="${bar}" rx="2" fill="${COLORS[i]}"/>`,
        `<text x="${(left + length + 5).toFixed(1)}" y="${y + 13}">${row.sqnr.toFixed(1)} dB · ${(100 * row.agreement).toFixed(1)} %</text>`,
      );
      y += bar + gap;
    }
    y += 12;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" font-family="system-ui, sans-serif" font-size="12" fill="#1f2328">
<title>Signal to quantization error of four int8 nets by quantizer</title>
<style>.net { font-weight: 600; } .title { font-weight: 600; font-size: 15px; }</style>
<rect width="${width}" height="${y}" fill="#ffffff"/>
<text x="12" y="24" class="title">int8 beside float: SQNR (longer is better), and top-1 agreement</text>
${parts.join("\n")}
</svg>
`;
}
