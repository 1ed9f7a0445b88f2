// A model as text: its ports, its memory, and a row for every step. Invariant: the same model gives the
// same text on every host; nothing here is needed to run.
import type { PortHeader, StepHeader } from "./format/header.ts";
import type { ModelFile } from "./format/reader.ts";

const shapeOf = (shape: readonly number[]): string => shape.join("×") || "scalar";

function portLine(side: string, { name, dtype, storage, shape, scale, zeroPoint = 0 }: PortHeader): string {
  const stored = dtype === storage ? "" : ` stored as ${storage}`;
  const zero = zeroPoint < 0 ? `+ ${-zeroPoint}` : `− ${zeroPoint}`;
  const affine = scale === undefined ? "" : `, ${scale} · (q ${zero})`;
  return `${side} ${name}: ${dtype} ${shapeOf(shape)}${stored}${affine}`;
}

const grouped = (count: number): string => count.toLocaleString("en");

/** Columns of numbers, set to the right. */
const NUMERIC = new Set([0, 4, 5, 6, 7]);

const stepCells = (step: StepHeader, index: number): string[] => [
  `${index}`,
  step.op,
  step.kernel,
  `${step.inputShapes.map(shapeOf).join(" ")} → ${shapeOf(step.outputShape)}`,
  grouped(step.macs),
  grouped(step.paramBytes),
  step.outputSlot.map(grouped).join(" + "),
  grouped(step.scratchBytes),
  step.name,
];

/** The text of `model.explain()`. */
export function explain({ header, inputs, outputs }: ModelFile, memoryBytes: number): string {
  const { memory, steps } = header;
  const rows = [
    ["step", "operator", "kernel", "shapes", "MACs", "const bytes", "arena slot", "scratch", "name"],
    ...steps.map(stepCells),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const macs = steps.reduce((sum, step) => sum + step.macs, 0);
  return [
    `${header.name}: ${steps.length} steps, ${grouped(macs)} MACs`,
    ...inputs.map(({ port }) => portLine("input", port)),
    ...outputs.map(({ port }) => portLine("output", port)),
    `memory: image ${grouped(memory.imageBytes)} + arena ${grouped(memory.arenaBytes)} = ${grouped(memory.totalBytes)} bytes; a session takes ${grouped(memoryBytes)}`,
    ...rows.map((row) =>
      row
        .map((cell, column) => (NUMERIC.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
        .join("  ")
        .trimEnd(),
    ),
  ].join("\n");
}
