// `mote explain`: how a model is computed, step by step, and what lies where in its arena meanwhile.

import type { Command } from "commander";
import { readModel } from "../../../host/format/reader.ts";
import { arenaMap } from "../arenaMap.ts";
import { openModel } from "../model.ts";
import { type OutputOptions, print } from "../output.ts";

const MORE = `
Examples:
  mote explain digits.mote
  mote explain digits.mote --json | jq '.steps[].kernel'

Exit status: 0 done, 1 the file is damaged or of another version, 2 bad usage.`;

export function addExplain(program: Command): void {
  program
    .command("explain")
    .summary("show every step with its kernel, and a map of the memory")
    .description("Show every step of a model: operator, kernel, shapes, MACs, bytes, place; then a map of the arena.")
    .argument("<model>", "a .mote file")
    .option("--no-arena", "leave the map of the arena out")
    .option("--json", "print one JSON object: name, inputs, outputs, memory, steps")
    .addHelpText("after", MORE)
    .action(explain);
}

async function explain(path: string, options: OutputOptions & { readonly arena: boolean }): Promise<void> {
  const { model, bytes } = await openModel(path);
  const { name, inputs, outputs, memory, steps } = model.header;
  print(options, { name, inputs, outputs, memory, memoryBytes: model.memoryBytes, steps }, () =>
    options.arena ? `${model.explain()}\n\n${arenaMap(readModel(bytes))}` : model.explain(),
  );
}
