// The readable report of the bench of weights: Markdown, the same on the terminal and in docs/weights.md.
import { showBytes, showMs, table } from "../markdown.mjs";
import { LAYER_CHOICES, MODEL_CHOICES } from "./parts.mjs";

/** Rows of the parts of a build whose name starts so. */
export function rowsOf({ parts }, build, kind) {
  return Object.entries(parts)
    .filter(([name]) => name.startsWith(`${build} ${kind} `))
    .flatMap(([, rows]) => rows);
}

export const gain = ({ choices }, choice) => choices.int8.ms / choices[choice].ms;
const part = ({ choices }, choice, field) => (choices[choice][field] / choices.int8[field]).toFixed(2);

export function renderReport(results) {
  const { cpu, features, cores, system } = results.machine;
  const made = `- Measured ${results.date.slice(0, 10)} on ${cpu} (${[...features, `${cores} cores`, system].join(", ")}), one thread; minima of 12 interleaved rounds; every answer checked against the integer reference before it was timed.`;
  const tables = results.engines.flatMap((engine) => [layers(results, engine), models(results, engine)]);
  return `${[made, ...tables, bytes(results)].join("\n\n")}\n`;
}

function layers(results, { build, version }) {
  const rows = rowsOf(results, build, "layers").map((row) => [
    row.name,
    (row.macs / row.choices.int8.ms / 1e6).toFixed(1),
    ...LAYER_CHOICES.map((choice) => gain(row, choice).toFixed(2)),
  ]);
  return `## Layers: Node ${version}, ${build} build\n\nGMAC/s of int8, and times as fast as that.\n\n${table(["layer", "int8", ...LAYER_CHOICES], rows)}`;
}

function models(results, { build, version }) {
  const { litert } = results.parts;
  const rows = rowsOf(results, build, "models").map((row) => {
    const peer = litert?.models[row.name];
    return [
      row.name,
      showMs(row.choices.int8.ms),
      ...MODEL_CHOICES.map((choice) => gain(row, choice).toFixed(2)),
      ...(litert
        ? [peer ? (peer / row.choices.int8.ms).toFixed(2) : "–", peer ? (peer / row.choices.int4.ms).toFixed(2) : "–"]
        : []),
    ];
  });
  const peers = litert ? ["int8 over LiteRT.js int8", "int4 over it"] : [];
  const note = litert
    ? ` LiteRT.js ${litert.version} runs in Node ${results.engines[0].version}, in its build without relaxed SIMD: no other starts there.`
    : "";
  return `## Whole models: Node ${version}, ${build} build\n\nMilliseconds of int8, and times as fast as that.${note}\n\n${table(["model", "int8, ms", ...MODEL_CHOICES, ...peers], rows)}`;
}

function bytes(results) {
  const rows = rowsOf(results, results.engines[0].build, "models").map((row) => [
    row.name,
    showBytes(row.choices.int8.bytes),
    ...MODEL_CHOICES.map((choice) => part(row, choice, "bytes")),
    showBytes(row.choices.int8.memory),
    ...MODEL_CHOICES.map((choice) => part(row, choice, "memory")),
  ]);
  const head = [
    "model",
    "constants",
    ...MODEL_CHOICES,
    "memory",
    ...MODEL_CHOICES.map((choice) => `memory, ${choice}`),
  ];
  return `## Bytes of whole models\n\nConstants in the file (weights, biases, multipliers, tables) and the memory of image and arena, and parts of them.\n\n${table(head, rows)}`;
}
