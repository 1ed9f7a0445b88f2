// `mote quantize`: a model's weights in fewer bits, by rounding or by training on in integers.

import type { Command } from "commander";
import {
  type CompressOptions,
  DATA_HELP,
  folderOf,
  openForCompressing,
  type TrainingOptions,
  trainOn,
  weightRules,
  withCompressOptions,
  withTrainingOptions,
} from "../compressing.ts";
import { writeOutcome } from "../outcome.ts";
import { Progress } from "../progress.ts";

const MORE = `${DATA_HELP}

Examples:
  mote quantize float.onnx --data samples/ --observer mse -o int8
  mote quantize models/mnist/cnn.ts --from cnn/weights.bin --weights int4 --epochs 2 -o int4

Exit status: 0 done, 1 the work failed, 2 bad usage.`;

interface QuantizeOptions extends CompressOptions, TrainingOptions {
  readonly weights: string;
}

export function addQuantize(program: Command): void {
  const command = program
    .command("quantize")
    .summary("give a model integer weights of few bits, with the evidence")
    .description(
      "Quantize a model, by rounding or by training on under the core's own integer rule; with card and report.",
    )
    .argument("<model>", "an .onnx or .tflite file, or a trained recipe")
    .option(
      "--weights <choice|rules.json>",
      "int8, int4, codebook, ternary, binary …, as mote import has them",
      "int8",
    );
  withTrainingOptions(withCompressOptions(command))
    .option("--json", "print one JSON object: the card")
    .addHelpText("after", MORE)
    .action(quantize);
}

async function quantize(path: string, options: QuantizeOptions): Promise<void> {
  const folder = folderOf(options, "quantize");
  const rules = await weightRules(options.weights);
  const progress = new Progress();
  const opened = await openForCompressing(path, options, progress);
  const { recodeWeights } = await import("../../quantize/weights.ts");
  const isPlain = options.weights === "int8";
  const rounded = isPlain ? opened.int8 : recodeWeights(opened.int8, rules, opened.evidence);
  const graph =
    options.epochs === 0 ? rounded : (await trainOn(opened, options, { rules, distil: "self" }, progress)).graph;
  const how = options.epochs === 0 ? "rounded" : `trained on for ${options.epochs} epochs`;
  const what = `${opened.source.name} with ${options.weights} weights, ${how}.`;
  await writeOutcome(folder, { ...opened, name: opened.int8.name, what, graph }, options, progress);
}
