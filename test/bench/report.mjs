// The readable report: Markdown, the same text on the terminal and in docs/bench.md.
import { percent, showBytes, showMiB, showMs, table } from "./markdown.mjs";
import { geometricMean } from "./summary.mjs";

/** minima of two rounds that are further apart are marked */
const NOISE = 0.1;

export function renderReport(results) {
  const parts = [heading(results), ...enginesOf(results).map((engine) => engineSection(results, engine))];
  if (results.sizes) parts.push(sizeSection(results));
  if (results.summary.rows.length > 0) parts.push(coldSection(results), memorySection(results));
  if (results.layers) parts.push(layerSection(results), stepSection(results));
  return `${parts.join("\n\n")}\n`;
}

export const enginesOf = ({ summary }) =>
  [...new Set(summary.rows.map(({ engine }) => engine))].filter((engine) => engine !== "native");

function heading({ date, machine, versions, options, summary, notes }) {
  const { cpu, features, cores, memoryGiB, system } = machine;
  const { rounds, seconds } = options;
  const relaxed = summary.relaxedPeak
    ? `; of \`i32x4.relaxed_dot_i8x16_i7x16_add_s\`: ${summary.relaxedPeak.toFixed(1)}`
    : "";
  return [
    `- Measured ${date.slice(0, 10)} on ${cpu} (${[...features, `${cores} cores`, `${memoryGiB} GiB`, system].join(", ")}).`,
    `- ${Object.entries(versions)
      .map(([name, version]) => `${name} ${flat(version)}`)
      .join(" · ")}.`,
    `- One thread, batch 1. ${rounds} round${rounds === 1 ? "" : "s"} of ${seconds} s an entry, interleaved, each entry in a fresh process or page; every answer was checked before it was timed.`,
    `- Peak of \`i32x4.dot_i16x8_s\` + \`i32x4.add\`, on registers only, the best of the engines: ${summary.dotPeak.toFixed(1)} MACs/ns${relaxed}.`,
    `- Marked ~ where the minima of two rounds are more than ${percent(NOISE)} apart. MACs are the model's: Winograd multiplies fewer, so it can pass the peak.`,
    ...(options.avx2 ? ["- The engines were told to do without AVX-VNNI; native code was not."] : []),
    ...notes.map((each) => `- Note: ${each}.`),
  ].join("\n");
}

const flat = (version) =>
  typeof version === "object"
    ? Object.entries(version)
        .map((pair) => pair.join(" "))
        .join(", ")
    : (version ?? "");

/** Times of every entry, then what they mean for Mote. */
function engineSection({ summary, models, versions }, engine) {
  const names = models.map(({ name }) => name);
  const rows = summary.rows.filter((row) => row.engine === engine || row.engine === "native");
  const labels = [...new Set(rows.map(({ label }) => label))];
  const cell = (label, model) => rows.find((row) => row.label === label && row.model === model);
  const times = table(
    ["ms: minimum (median)", ...names],
    labels.map((label) => [label, ...names.map((name) => timeCell(cell(label, name)))]),
  );

  const isChosen = ({ peer, variant }) => peer === "mote" && variant === "auto";
  const mote = names.map((name) => rows.find((row) => row.model === name && row.minMs && isChosen(row)));
  const meaning = [
    ["MACs/ns", ...mote.map((row) => row?.macsPerNs.toFixed(1))],
    ["of the dot peak", ...mote.map((row) => row && percent(row.macsPerNs / summary.dotPeak))],
  ];
  const ratios = summary.ratios.filter((ratio) => ratio.engine === engine);
  for (const opponent of new Set(ratios.map((ratio) => ratio.opponent))) {
    const of = names.map((name) => ratios.find((ratio) => ratio.opponent === opponent && ratio.model === name));
    const known = of.filter(Boolean).map(({ ratio }) => ratio);
    meaning.push([`× ${opponent}`, ...of.map((each) => each?.ratio.toFixed(2)), geometricMean(known).toFixed(2)]);
  }
  const facts = table(["Mote: times as fast as", ...names, "geo. mean"], meaning);
  return `## ${engine} ${flat(versions[engine])}\n\n${times}\n\n${facts}`;
}

function timeCell(row) {
  if (!row) return "";
  if (!row.minMs) return "failed";
  const mark = row.spread > NOISE ? "~" : "";
  return `${mark}${showMs(row.minMs)} (${showMs(row.medianMs)})`;
}

function sizeSection({ sizes }) {
  const rows = sizes.map(({ label, raw, gzip, brotli }) => [label, ...[raw, gzip, brotli].map(showBytes)]);
  return `## Bytes shipped\n\n${table(["scripts and one wasm file", "raw", "gzip -9", "brotli 11"], rows)}`;
}

/** From the import to the first answer: the rows that a user would have, best build only. */
function coldSection({ summary, models, workerd }) {
  const names = models.map(({ name }) => name).filter((name) => ["kws", "mbv2"].includes(name) || models.length < 3);
  const engines = enginesOf({ summary });
  const head = ["ms, minimum (median)", ...engines.flatMap((engine) => names.map((name) => `${engine} ${name}`))];
  const rows = unique(summary.rows.filter(({ peer }) => peer !== "native")).map((label) => [
    label,
    ...engines.flatMap((engine) =>
      names.map((name) => {
        const row = summary.rows.find((each) => each.label === label && each.engine === engine && each.model === name);
        return row?.coldMs && `${Math.round(row.coldMs)} (${Math.round(row.coldMedianMs)})`;
      }),
    ),
  ]);
  const parts = ["## Import → first result", table(head, rows)];
  if (workerd) {
    const workerRows = workerd.rows.map(({ model, build, requestMs, emptyMs, loadMs, minMs, memory }) => [
      `${model}, ${build}`,
      ...[requestMs, emptyMs, loadMs, minMs].map(showMs),
      showMiB(memory.wasmBytes),
      `${memory.rssMiB.toFixed(0)} MiB`,
    ]);
    parts.push(
      `Mote in workerd ${workerd.version}, core and model imported as modules, from outside; its clock is coarse. None of the peers runs there as it is shipped.`,
      table(
        ["workerd", "first request", "empty request", "load → result", "a run", "wasm memory", "process"],
        workerRows,
      ),
    );
  }
  return parts.join("\n\n");
}

function memorySection({ summary, models }) {
  const names = models.map(({ name }) => name);
  const engines = enginesOf({ summary });
  const rows = unique(summary.rows.filter(({ peer, memory }) => peer !== "native" && memory)).map((label) => {
    const of = summary.rows.filter((row) => row.label === label && row.memory);
    const added = engines.map((engine) => {
      const all = of.filter((row) => row.engine === engine).map(({ memory }) => memory.rssAddedMiB);
      return all.length > 0 ? `${Math.min(...all).toFixed(0)}–${Math.max(...all).toFixed(0)}` : "";
    });
    const wasm = names.map((name) => of.find(({ model }) => model === name)?.memory.wasmBytes);
    return [label, ...wasm.map((bytes) => bytes && showMiB(bytes)), ...added];
  });
  const head = ["wasm memory after the first result", ...names, ...engines.map((engine) => `${engine}, MiB added`)];
  return `## Memory\n\n${table(head, rows)}`;
}

/** Labels of what runs in the engines, peer by peer. */
function unique(rows) {
  const peers = [...new Set(rows.map(({ peer }) => peer))];
  return peers.flatMap((peer) => [...new Set(rows.filter((row) => row.peer === peer).map(({ label }) => label))]);
}

function layerSection({ layers, summary }) {
  const builds = [...new Set(layers.map(({ build }) => build))];
  const head = ["MACs/ns, Node", "MACs", ...builds, "of the dot peak"];
  const rows = [...new Set(layers.map(({ name }) => name))].map((name) => {
    const of = builds.map((build) => layers.find((row) => row.name === name && row.build === build));
    const best = Math.max(...of.map((row) => row?.macsPerNs ?? 0));
    return [name, of[0].macs, ...of.map((row) => row?.macsPerNs.toFixed(1)), percent(best / summary.dotPeak)];
  });
  return `## Single operators\n\n${table(head, rows)}`;
}

/** The slowest steps of each model. */
function stepSection({ steps }) {
  const most = 8;
  const parts = [...new Set(steps.map(({ model }) => model))].map((model) => {
    const slowest = steps
      .filter((step) => step.model === model)
      .sort((a, b) => b.ms - a.ms)
      .slice(0, most);
    const rows = slowest.map(({ index, kernel, macs, ms, share }) => [
      `${index} ${kernel}`,
      percent(share),
      showMs(ms),
      macs ? (macs / ms / 1e6).toFixed(1) : "",
    ]);
    return table([`${model}: step`, "time", "ms", "MACs/ns"], rows);
  });
  return `## The slowest steps of each model\n\nEach between two looks at the clock, so that small steps seem slower than they are.\n\n${parts.join("\n\n")}`;
}
