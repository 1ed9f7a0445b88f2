// The arena over time as text: a row for a range of addresses, a column for a step.
// Invariant: at most ROWS rows and COLUMNS columns a block, whatever the model. What is drawn is what each
// step writes; a file does not say for how long it is read, so a tensor is shown until it is overwritten.

import type { ModelFile } from "../../host/format/reader.ts";
import { count } from "./table.ts";

const ROWS = 16;
const COLUMNS = 64;
const [WRITTEN, HELD, RESIDENT, FREE] = ["█", "░", "▒", " "];

interface Write {
  readonly from: number;
  readonly to: number;
}

/** Column 0 is what the caller writes, column i + 1 what step i does. */
function writesOf({ header, image, inputs }: ModelFile): Write[][] {
  const ports = inputs.map(({ offset, bytes }) => ({ from: offset - image.length, to: offset - image.length + bytes }));
  return [ports, ...header.steps.map(({ outputSlot: [from, bytes] }) => [{ from, to: from + bytes }])];
}

function residentsOf({ header }: ModelFile): Write[] {
  return header.steps.flatMap(({ residentSlot }) =>
    residentSlot ? [{ from: residentSlot[0], to: residentSlot[0] + residentSlot[1] }] : [],
  );
}

/** One string a row, lowest addresses first. */
function draw(
  writes: readonly (readonly Write[])[],
  residents: readonly Write[],
  rows: number,
  rowBytes: number,
): string[][] {
  return Array.from({ length: rows }, (_, row) => {
    const touches = ({ from, to }: Write): boolean => from < (row + 1) * rowBytes && to > row * rowBytes && to > from;
    let cell = residents.some(touches) ? RESIDENT : FREE;
    return writes.map((column) => {
      if (!column.some(touches)) return cell;
      cell = HELD;
      return WRITTEN;
    });
  });
}

export function arenaMap(file: ModelFile): string {
  const { arenaBytes } = file.header.memory;
  const writes = writesOf(file);
  const rowBytes = Math.max(64, Math.ceil(arenaBytes / ROWS / 64) * 64);
  const residents = residentsOf(file);
  const cells = draw(writes, residents, Math.ceil(arenaBytes / rowBytes), rowBytes);
  const width = count(arenaBytes).length;
  const lines = [
    `arena: ${count(arenaBytes)} bytes from top to bottom, steps from left to right (in = the inputs);`,
    `${WRITTEN} written by the step, ${HELD} written before and not yet overwritten${residents.length > 0 ? `, ${RESIDENT} weights made at load` : ""}`,
  ];
  for (let from = 0; from < writes.length; from += COLUMNS) {
    const to = Math.min(from + COLUMNS, writes.length);
    lines.push("", `${" ".repeat(width)}  ${ruler(from, to)}`);
    for (const [row, columns] of cells.entries()) {
      lines.push(`${count(row * rowBytes).padStart(width)} │${columns.slice(from, to).join("")}│`);
    }
  }
  return lines.join("\n");
}

/** Step numbers over their columns: the inputs, then every tenth step. */
function ruler(from: number, to: number): string {
  let line = "";
  for (let column = from; column < to; column++) {
    const mark = column === 0 ? "in" : (column - 1) % 10 === 0 && column > 3 ? `${column - 1}` : "";
    if (mark) line = line.padEnd(column - from) + mark;
  }
  return line;
}
