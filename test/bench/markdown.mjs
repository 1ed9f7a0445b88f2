// Numbers and tables as text, alike on the terminal and in docs/bench.md.

export const percent = (part) => `${Math.round(part * 100)} %`;

/** Milliseconds with three or four digits that mean something. */
export const showMs = (ms) =>
  ms < 0.1 ? ms.toFixed(4) : ms < 1 ? ms.toFixed(3) : ms < 10 ? ms.toFixed(2) : ms.toFixed(1);

export const showBytes = (bytes) => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`);

export const showMiB = (bytes) => (bytes < 2 ** 20 ? `${bytes / 1024} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`);

/** An aligned Markdown table; the first column is text, the others are numbers. */
export function table(head, rows) {
  const widths = head.map((_, i) => Math.max(3, ...[head, ...rows].map((row) => String(row[i] ?? "").length)));
  const pad = (text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]));
  const line = (row) => `| ${widths.map((_, i) => pad(String(row[i] ?? ""), i)).join(" | ")} |`;
  const rule = widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(head), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}
