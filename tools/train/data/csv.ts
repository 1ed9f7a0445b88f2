// Comma-separated values (RFC 4180) as columns of numbers and of words. Invariant: a field that is not what its
// column wants is refused with its line; nothing is guessed or left out.

import { ToolError } from "../../errors.ts";

export interface CsvOptions {
  /** the first line names the columns */
  readonly header?: boolean;
  readonly separator?: string;
}

export interface CsvTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** a column as numbers */
  numbers(column: string): Float32Array;
  /** a column's words as indices into their sorted list, or into `classes` */
  labels(
    column: string,
    classes?: readonly string[],
  ): { readonly labels: Int32Array; readonly classes: readonly string[] };
}

function parse(text: string, separator: string, name: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let quoted = false;
  let wasQuoted = false;
  const endField = (): void => {
    row.push(wasQuoted ? field : field.trim());
    field = "";
    wasQuoted = false;
  };
  const endRow = (): void => {
    endField();
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  };
  for (let i = 0; i < text.length; i++) {
    const unit = text[i]!;
    if (quoted) {
      if (unit !== '"') field += unit;
      else if (text[i + 1] === '"') field += text[++i];
      else quoted = false;
    } else if (unit === '"' && field.trim() === "") {
      quoted = wasQuoted = true;
      field = "";
    } else if (unit === separator) endField();
    else if (unit === "\n") endRow();
    else if (unit !== "\r") field += unit;
  }
  if (quoted) throw new ToolError("BAD_FILE", `${name}: a quoted field is never closed; add the missing quote.`);
  if (field !== "" || row.length > 0) endRow();
  return rows;
}

export function readCsv(text: string, name: string, { header = true, separator = "," }: CsvOptions = {}): CsvTable {
  const all = parse(text.replace(/^\uFEFF/, ""), separator, name);
  const width = all[0]?.length ?? 0;
  if (width === 0) throw new ToolError("BAD_FILE", `${name} is empty.`);
  const uneven = all.findIndex((row) => row.length !== width);
  if (uneven >= 0) {
    throw new ToolError(
      "BAD_FILE",
      `${name}: row ${uneven + 1} has ${all[uneven]!.length} fields but the first has ${width}.`,
    );
  }
  const columns = header ? all[0]! : Array.from({ length: width }, (_, i) => String(i));
  const rows = header ? all.slice(1) : all;
  const indexOf = (column: string): number => {
    const index = columns.indexOf(column);
    if (index < 0) throw new ToolError("BAD_INPUT", `${name} has no column "${column}"; it has ${columns.join(", ")}.`);
    return index;
  };
  const line = (row: number): number => row + (header ? 2 : 1);
  return {
    columns,
    rows,
    numbers(column) {
      const index = indexOf(column);
      return Float32Array.from(rows, (fields, r) => {
        const value = fields[index] === "" ? Number.NaN : Number(fields[index]);
        if (!Number.isFinite(value)) {
          throw new ToolError(
            "BAD_FILE",
            `${name}: row ${line(r)}, column "${column}" is "${fields[index]}" but a number was expected.`,
          );
        }
        return value;
      });
    },
    labels(column, classes = [...new Set(rows.map((fields) => fields[indexOf(column)]!))].sort()) {
      const index = indexOf(column);
      const labels = Int32Array.from(rows, (fields, r) => {
        const label = classes.indexOf(fields[index]!);
        if (label < 0)
          throw new ToolError(
            "BAD_FILE",
            `${name}: row ${line(r)}, column "${column}" is "${fields[index]}", none of ${classes.join(", ")}.`,
          );
        return label;
      });
      return { labels, classes };
    },
  };
}
