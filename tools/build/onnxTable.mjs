// Writes docs/onnx-operators.md from what `npm run onnx-node -- DIR --json` printed, one file of it an argument:
// operator × opset × precision × status. Operators that have an importer but no case are listed as such.
import { readFileSync, writeFileSync } from "node:fs";
import { IMPORTERS } from "../../dist/tools/import/onnx/ops/registry.js";

const rows = new Map();
for (const path of process.argv.slice(2)) {
  for (const line of readFileSync(path, "utf8").split("\n")) {
    if (!line.startsWith('{"case"')) continue;
    const { outcome, operators, opset, precision } = JSON.parse(line);
    for (const operator of operators) {
      if (operator === "Constant" && operators.length > 1) continue;
      const row = rows.get(operator) ?? { opsets: new Set(), types: new Set(), passed: 0, refused: 0, failed: 0 };
      row.opsets.add(opset);
      for (const type of precision.split(", ").slice(0, 1)) row.types.add(type);
      row[outcome]++;
      rows.set(operator, row);
    }
  }
}
const span = (opsets) => [...opsets].sort((a, b) => a - b).join(", ");
const status = ({ passed, refused, failed }) =>
  [passed && `${passed} passed`, refused && `${refused} refused`, failed && `${failed} failed`]
    .filter(Boolean)
    .join(", ");
const lines = [
  "# ONNX operators",
  "",
  "Made by `npm run onnx-node -- DIR --json > FILE` for each folder of node cases and `node tools/build/onnxTable.mjs FILE …`; not to",
  "be edited. *Precision* is the type of the case's first input; integers other than quantized ones are carried as int32. *Status*",
  "counts ONNX's own node cases, run on the core; `imported` has an importer and no case here.",
  "",
  "| operator | opsets of the cases | precision | status |",
  "| --- | --- | --- | --- |",
];
for (const operator of [...IMPORTERS.keys()].sort()) {
  const row = rows.get(operator);
  lines.push(
    row
      ? `| ${operator} | ${span(row.opsets)} | ${[...row.types].sort().join(", ")} | ${status(row)} |`
      : `| ${operator} | – | – | imported |`,
  );
}
writeFileSync(new URL("../../docs/onnx-operators.md", import.meta.url), `${lines.join("\n")}\n`);
