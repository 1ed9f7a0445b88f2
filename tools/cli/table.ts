// Plain text in columns. Invariant: no line ends in spaces, and numbers line up on the right.

/** A cell: a number is put to the right, text to the left. */
export type Cell = string | number;

const text = (cell: Cell): string => (typeof cell === "number" ? count(cell) : cell);

/** 1234567 → "1,234,567", the same in every locale. */
export function count(value: number): string {
  return `${value}`.replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Columns under their heads, two spaces apart; a column of numbers has its head on the right, too. */
export function table(heads: readonly string[], rows: readonly (readonly Cell[])[], indent = ""): string {
  const right = heads.map((_, column) => {
    const filled = rows.map((row) => row[column] ?? "").filter((cell) => cell !== "");
    return filled.length > 0 && filled.every(isNumeric);
  });
  const lines = [heads, ...rows].map((row) => heads.map((_, column) => text(row[column] ?? "")));
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const pad = (cell: string, column: number): string =>
    right[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
  return lines.map((line) => (indent + line.map(pad).join("  ")).trimEnd()).join("\n");
}

const isNumeric = (cell: Cell): boolean => typeof cell === "number" || /^-?[\d,.]+(e-?\d+)?( ?%)?$/.test(cell);

/** "name   value" lines. */
export function fields(pairs: readonly (readonly [name: string, value: Cell])[], indent = ""): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${indent}${name.padEnd(width)}  ${text(value)}`.trimEnd()).join("\n");
}
