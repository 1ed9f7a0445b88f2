// `npm run bench:quantize`: four float nets quantized by Mote with 100 calibration inputs, beside their published int8 twins and
// ONNX Runtime's static quantization, judged on inputs held out from calibration; what each observer and each correction
// brings; few-bit weights. With --write, docs/quantization.json, .md and .svg; with --only NET one net, the others as the JSON has
// them.
// Invariant: Mote's outputs are those of the packed model run by the core, the published twin's too.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseObserver } from "../../../tools/quantize/observers.ts";
import { type PostTrainingOptions, postTrainingQuantize } from "../../../tools/quantize/postTraining.ts";
import { parseWeights } from "../../../tools/quantize/precision.ts";
import { inputsOf } from "./inputs.ts";
import { judge, NETS, readNet, runPacked, shared } from "./nets.ts";
import { METHODS, quantizeByOrt } from "./ort.ts";
import { type NetResult, type Row, renderPicture, renderReport } from "./report.ts";

const COUNTS = { calibration: 100, held: 200 };
const KEPT = "docs/quantization.json";
const PYTHON = process.env.PYTHON ?? "python3";

const OBSERVERS = ["minmax", "average", "percentile:99.99", "mse", "entropy"];
const plain = (text: string): PostTrainingOptions => ({ observer: parseObserver(text, ""), biasCorrection: false });
const coded = (text: string, more: PostTrainingOptions): PostTrainingOptions => ({
  ...more,
  weights: { default: parseWeights(text, ""), layers: [] },
});

/** Of ad01, all of whose layers take groups, every size; vww's depthwise layers are kept as int8, so few bits say little. */
const FEW: Readonly<Record<string, readonly string[]>> = {
  kws: ["int4", "int4:g32", "codebook"],
  resnet8: ["int4", "int4:g32", "codebook"],
  ad01: ["int4", "int4:g128", "int4:g64", "int4:g32", "codebook"],
};

/** Name → what was asked for. */
const variants = (net: string): readonly (readonly [string, PostTrainingOptions])[] => [
  ...OBSERVERS.map((text) => [text, plain(text)] as const),
  ["mse + equalize", { ...plain("mse"), equalize: true }],
  ["mse + compensated", { ...plain("mse"), rounding: "compensated" }],
  ["mse + bias", {}],
  ["mse + compensated + bias", { rounding: "compensated" }],
  ...(FEW[net] ?? []).flatMap((text) => [
    [`${text} nearest`, coded(text, {})] as const,
    [`${text} compensated`, coded(text, { rounding: "compensated" })] as const,
  ]),
];

if (!shared) {
  console.log("skipped: the shared nets (../shared/peers/models) are not here");
  process.exit(0);
}

const only = process.argv[process.argv.indexOf("--only") + 1];
const results: NetResult[] = [];
for (const net of NETS.filter(({ name }) => !process.argv.includes("--only") || name === only)) {
  const graph = readNet(net.float);
  const inputs = inputsOf(net.name, join(shared, "data"), COUNTS);
  const wanted = (await runPacked(graph, inputs.held)).outputs;
  const rows: Row[] = [];
  const add = (name: string, outputs: readonly Float32Array[], bytes?: number): void => {
    rows.push({ name, ...judge(wanted, outputs), ...(bytes !== undefined && { bytes }) });
    const { sqnr, agreement } = rows.at(-1)!;
    console.log(`${net.name.padEnd(8)} ${name.padEnd(28)} ${sqnr.toFixed(2)} dB ${(100 * agreement).toFixed(1)} %`);
  };
  const published = await runPacked(readNet(net.int8), inputs.held);
  add("published", published.outputs, published.bytes);
  const ort = quantizeByOrt(graph, inputs, PYTHON);
  if (typeof ort === "string") console.log(`note: ONNX Runtime is left out: ${ort}`);
  else for (const method of METHODS) add(`ort ${method}`, ort.outputs.get(method)!);
  const sets = inputs.calibration.map((input) => [input]);
  for (const [name, options] of variants(net.name)) {
    const { outputs, bytes } = await runPacked(postTrainingQuantize(graph, sets, options), inputs.held);
    add(name, outputs, bytes);
  }
  results.push({ net: net.name, rows, ...(typeof ort !== "string" && { ort: ort.version }) });
}
if (process.argv.includes("--write")) {
  const known = existsSync(KEPT) ? (JSON.parse(readFileSync(KEPT, "utf8")) as NetResult[]) : [];
  const all = NETS.flatMap(({ name }) => [...results, ...known].find(({ net }) => net === name) ?? []);
  writeFileSync(KEPT, `${JSON.stringify(all, null, 2)}\n`);
  writeFileSync("docs/quantization.md", renderReport(all, COUNTS));
  writeFileSync("docs/quantization.svg", renderPicture(all));
}
