// `mote diff`: two models of one net, layer by layer. Invariant: both run on the core with the same inputs; nothing is written
// but the report that is asked for.

import type { Command } from "commander";
import { ToolError } from "../../errors.ts";
import { elementCount, type Graph } from "../../graph/graph.ts";
import { count, wholeNumber } from "../counts.ts";
import { writeWhole } from "../files.ts";
import { type OutputOptions, print } from "../output.ts";
import { Progress } from "../progress.ts";
import { heldOut } from "../samples.ts";
import { openSource } from "../sourceGraph.ts";
import { fields, table } from "../table.ts";

const MORE = `
A and B are .onnx or .tflite files, float or quantized, of one net whose tensors have the same names. For each layer: how far
B's values are from A's when both run from the input (accumulated), and when B's layer gets A's own values (alone).
The layer of the lowest "alone" is the one that did it.

Examples:
  mote diff float.onnx int8.onnx --data samples/
  mote diff float.onnx int8.tflite --report diff.html

Exit status: 0 done, 1 a file is bad or the models do not fit each other, 2 bad usage.`;

interface DiffOptions extends OutputOptions {
  readonly data?: string;
  readonly samples: number;
  readonly report?: string;
}

export function addDiff(program: Command): void {
  program
    .command("diff")
    .summary("compare two models layer by layer")
    .description("Compare two models of one net layer by layer: signal to error and cosine, alone and accumulated.")
    .argument("<model>", "the reference: an .onnx or .tflite file")
    .argument("<other>", "the model to judge: an .onnx or .tflite file")
    .option("--data <path>", "inputs: a recipe or a folder, as for evaluate (default: noise of one spread)")
    .option("--samples <n>", "how many of them", wholeNumber(1), 32)
    .option("--report <file>", "an HTML page with the picture")
    .option("--json", "print one JSON object: layers, outputs, agreement")
    .addHelpText("after", MORE)
    .action(diff);
}

async function diff(first: string, second: string, options: DiffOptions): Promise<void> {
  const progress = new Progress();
  const { compareGraphs } = await import("../../evaluate/layerErrors.ts");
  const [a, b] = [(await openSource(first, undefined)).graph, (await openSource(second, undefined)).graph];
  const inputs = await inputsFor(a, options);
  const comparison = await progress.stage(`comparing over ${inputs.length} inputs`, () => compareGraphs(a, b, inputs));
  const { layers, outputs, agreement } = comparison;
  if (options.report !== undefined) {
    const { page } = await import("../../train/report/page.ts");
    const { layerSection } = await import("../../train/report/layerReport.ts");
    const html = page(`${b.name} against ${a.name}`, `${second} against ${first}`, [layerSection(comparison)]);
    await writeWhole(options.report, Buffer.from(html));
  }
  print(options, comparison, () => {
    const decibels = (value: number): string =>
      Number.isFinite(value) ? value.toFixed(1) : value > 0 ? "no error" : "–";
    const worst = [...layers].sort((x, y) => x.alone.sqnr - y.alone.sqnr)[0];
    return [
      table(
        ["layer", "operator", "alone, dB", "cosine", "accumulated, dB", "cosine"],
        layers.map(({ layer, op, alone, accumulated }) => [
          layer,
          op,
          decibels(alone.sqnr),
          alone.cosine.toFixed(5),
          decibels(accumulated.sqnr),
          accumulated.cosine.toFixed(5),
        ]),
      ),
      "",
      fields([
        ["outputs", outputs.map(({ sqnr }) => `${decibels(sqnr)} dB`).join(", ")],
        ["same greatest", `${(agreement * 100).toFixed(2)} % of ${count(inputs.length)} inputs`],
        ["worst alone", worst ? worst.layer : "no layer of both has the same name"],
      ]),
    ].join("\n");
  });
}

async function inputsFor(graph: Graph, { data, samples: wanted }: DiffOptions): Promise<Float32Array[][]> {
  const ports = graph.inputs.map((id) => graph.tensors[id]!);
  if (data === undefined) {
    const { Random } = await import("../../train/random.ts");
    const random = new Random(0);
    return Array.from({ length: wanted }, () =>
      ports.map(({ shape }) => Float32Array.from({ length: elementCount(shape) }, () => random.normal())),
    );
  }
  const [port] = ports;
  if (ports.length !== 1)
    throw new ToolError("UNSUPPORTED", `the models have ${ports.length} inputs; --data gives one.`);
  const { samples } = await heldOut(data, port!);
  const size = elementCount(samples.shape);
  const taken = Math.min(wanted, samples.count);
  return Array.from({ length: taken }, (_, i) => {
    const at = Math.floor((i * samples.count) / taken) * size;
    return [samples.x.slice(at, at + size)];
  });
}
