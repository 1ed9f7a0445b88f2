// The readable report: aligned Markdown tables, the same text on the terminal and in docs/bench.md.
import { geometricMean } from "./summary.mjs";

export function renderReport(results) {
  const parts = [heading(results)];
  for (const engine of enginesOf(results)) parts.push(engineSection(results, engine));
  return `${parts.join("\n\n")}\n`;
}

export const enginesOf = ({ summary }) =>
  [...new Set(summary.rows.map(({ engine }) => engine))].filter((engine) => engine !== "native");

function heading({ date, machine, versions, options, summary, notes }) {
  const { cpu, features, cores, memoryGiB, system } = machine;
  const text = Object.entries(versions).map(([name, version]) => `${name} ${flat(version)}`);
  return [
    `Measured ${date.slice(0, 10)} on ${cpu} (${[...features, `${cores} cores`, `${memoryGiB} GiB`, system].join(", ")}).`,
    `${text.join(" · ")}.`,
    `One thread, batch 1; ${options.rounds} rounds of ${options.seconds} s each, interleaved, each in a fresh process or page.`,
    `Peak of \`i32x4.dot_i16x8_s\` + \`i32x4.add\` on registers: ${summary.dotPeak.toFixed(1)} MACs/ns${
      summary.relaxedPeak ? `; of the relaxed dot: ${summary.relaxedPeak.toFixed(1)}` : ""
    }.`,
    ...notes.map((each) => `Note: ${each}.`),
  ].join("\n");
}

const flat = (version) =>
  typeof version === "object"
    ? Object.entries(version)
        .map((pair) => pair.join(" "))
        .join(", ")
    : version;

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

  const mote = names.map((name) =>
    rows.find(({ model, peer, variant }) => model === name && peer === "mote" && variant === "auto"),
  );
  const meaning = [
    ["MACs/ns", ...mote.map((row) => row?.macsPerNs?.toFixed(1) ?? ""), ""],
    ["of the dot peak", ...mote.map((row) => (row?.macsPerNs ? percent(row.macsPerNs / summary.dotPeak) : "")), ""],
  ];
  const ratios = summary.ratios.filter((ratio) => ratio.engine === engine);
  for (const opponent of new Set(ratios.map((ratio) => ratio.opponent))) {
    const of = names.map((name) => ratios.find((ratio) => ratio.opponent === opponent && ratio.model === name));
    const known = of.filter(Boolean).map(({ ratio }) => ratio);
    meaning.push([`× ${opponent}`, ...of.map((each) => each?.ratio.toFixed(2) ?? ""), geometricMean(known).toFixed(2)]);
  }
  const facts = table(["Mote", ...names, "geo. mean"], meaning);
  return `## ${engine} ${flat(versions[engine])}\n\n${times}\n\n${facts}`;
}

const percent = (part) => `${Math.round(part * 100)} %`;
const digits = (ms) => (ms < 1 ? ms.toFixed(4) : ms < 10 ? ms.toFixed(3) : ms.toFixed(2));
const timeCell = (row) => (row ? (row.minMs ? `${digits(row.minMs)} (${digits(row.medianMs)})` : "failed") : "");

/** An aligned Markdown table; the first column is text, the others are numbers. */
export function table(head, rows) {
  const widths = head.map((_, i) => Math.max(3, ...[head, ...rows].map((row) => String(row[i] ?? "").length)));
  const line = (row) =>
    `| ${widths.map((width, i) => (i === 0 ? String(row[i]).padEnd(width) : String(row[i] ?? "").padStart(width))).join(" | ")} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}
