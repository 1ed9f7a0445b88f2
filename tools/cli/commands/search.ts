// `mote search`: which layer gets which weights, under a budget of bytes or time or at least so much accuracy.

import type { Command } from "commander";
import { ToolError } from "../../errors.ts";
import { type CompressOptions, DATA_HELP, folderOf, openForCompressing, withCompressOptions } from "../compressing.ts";
import { positive } from "../counts.ts";
import { judgeGraph, outputsOf, setsOf, writeOutcome } from "../outcome.ts";
import { Progress } from "../progress.ts";

const MORE = `${DATA_HELP}

Every layer is tried in every choice; what it saves is weighed against what it costs, and the accuracy of each point on the
way from the first choice to the smallest is measured on validation samples (training ones where there are none). The most
accurate within --max-bytes and --max-ms is taken, or with --min-accuracy the smallest that reaches it.

Examples:
  mote search models/mnist/cnn.ts --from cnn/weights.bin --max-bytes 128000 -o small
  mote search float.onnx --data samples/ --min-accuracy 0.97 --choices int8,int4,sparse:0.5 -o least

Exit status: 0 done, 1 the work failed or nothing fits the budget, 2 bad usage.`;

/** Samples that the choice is made by. */
const DECIDING = 1000;
/** Inputs that sensitivities are measured on. */
const SENSED = 64;

interface SearchOptions extends CompressOptions {
  readonly maxBytes?: number;
  readonly maxMs?: number;
  readonly minAccuracy?: number;
  readonly choices: string;
}

export function addSearch(program: Command): void {
  const command = program
    .command("search")
    .summary("find the best precision of each layer under a budget")
    .description(
      "Find the precision of each layer under a budget: sensitivity, bytes and time of each, a Pareto front.",
    )
    .argument("<model>", "an .onnx or .tflite file, or a trained recipe")
    .option("--max-bytes <n>", "most bytes of the .mote file", positive())
    .option("--max-ms <x>", "most milliseconds of a run on this machine", positive())
    .option("--min-accuracy <part>", "least accuracy, 0 … 1", positive(1))
    .option("--choices <list>", "weights to choose from, the most exact first", "int8,codebook,int4");
  withCompressOptions(command)
    .option("--json", "print one JSON object: the card with all variants")
    .addHelpText("after", MORE)
    .action(search);
}

async function search(path: string, options: SearchOptions): Promise<void> {
  const folder = folderOf(options, "search");
  const { maxBytes, maxMs, minAccuracy } = options;
  if (maxBytes === undefined && maxMs === undefined && minAccuracy === undefined)
    throw new ToolError("USAGE", "mote search must know a budget: add --max-bytes, --max-ms or --min-accuracy.");
  const progress = new Progress();
  const opened = await openForCompressing(path, options, progress);
  const { data, int8, evidence } = opened;
  if (!data.classes) throw new ToolError("BAD_INPUT", "the data has no labels; search judges classifiers.");
  const deciding = data.validation ?? data.train;
  const { select } = await import("../../train/samples.ts");
  const judged = select(
    deciding,
    Array.from({ length: Math.min(DECIDING, deciding.count) }, (_, i) => i),
  );
  const sensed = setsOf(deciding, SENSED);
  const { searchPrecision } = await import("../../quantize/search.ts");
  const budget = {
    ...(maxBytes !== undefined && { maxBytes }),
    ...(maxMs !== undefined && { maxMs }),
    ...(minAccuracy !== undefined && { minAccuracy }),
  };
  const found = searchPrecision({
    graph: int8,
    choices: options.choices.split(","),
    budget,
    evidence,
    outputs: (graph) => outputsOf(graph, sensed),
    judge: (graph) => judgeGraph(graph, judged),
    progress: (what) => progress.show(what),
  });
  progress.clear();
  const { chosen, tried, graph, sensitivities } = found;
  const least = [...sensitivities].sort((a, b) => a.sqnr - b.sqnr)[0];
  const extra: [string, string][] = [
    ["chosen", `${chosen.name} of ${tried.length} variants`],
    ...(least
      ? [["most sensitive", `${least.layer} as ${least.choice}: ${least.sqnr.toFixed(1)} dB`] as [string, string]]
      : []),
    ["layers", [...chosen.assignment].map(([layer, choice]) => `${layer} ${choice}`).join(", ")],
  ];
  const limits = [
    ...(maxBytes === undefined ? [] : [`${maxBytes} bytes at most`]),
    ...(maxMs === undefined ? [] : [`${maxMs} ms at most`]),
    ...(minAccuracy === undefined ? [] : [`${minAccuracy} accuracy at least`]),
  ];
  const what = `${opened.source.name} with the weights of each layer chosen for ${limits.join(", ")}.`;
  await writeOutcome(folder, { ...opened, name: int8.name, what, graph, tried, budget, extra }, options, progress);
}
