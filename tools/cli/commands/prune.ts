// `mote prune`: weights that are zero, in the shape that kernels leave out, with or without training on.

import { type Command, InvalidArgumentError } from "commander";
import { ToolError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Structure } from "../../train/pruning.ts";
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
import { positive } from "../counts.ts";
import { writeOutcome } from "../outcome.ts";
import { Progress } from "../progress.ts";

const MORE = `${DATA_HELP}

Structures: block (8 outputs × 4 inputs, which sparse kernels leave out), channels (removed for good), unstructured, and N:M
(N of M inputs in a row stay). Without --epochs only block and channels, by magnitude. Layers of fewer than --least weights
are left alone.

Examples:
  mote prune kws.tflite --data samples/ --zeros 0.5 -o half
  mote prune models/mnist/cnn.ts --from cnn/weights.bin --zeros 0.75 --epochs 4 -o sparse

Exit status: 0 done, 1 the work failed, 2 bad usage.`;

interface PruneOptions extends CompressOptions, TrainingOptions {
  readonly zeros: number;
  readonly structure: Structure;
  readonly importance: "magnitude" | "activation";
  readonly schedule: "cubic" | "oneShot";
  readonly least: number;
  readonly weights: string;
}

function structureOf(text: string): Structure {
  if (text === "block" || text === "channels" || text === "unstructured") return text;
  const [, keep = "", of = ""] = /^(\d+):(\d+)$/.exec(text) ?? [];
  if (Number(keep) >= 1 && Number(keep) < Number(of)) return { keep: Number(keep), of: Number(of) };
  throw new InvalidArgumentError("It must be block, channels, unstructured, or N:M such as 2:4.");
}

export function addPrune(program: Command): void {
  const command = program
    .command("prune")
    .summary("make a model's weights zero where they matter least, with the evidence")
    .description("Prune a model, and train it on in integers while it is pruned; with card and report.")
    .argument("<model>", "an .onnx or .tflite file, or a trained recipe")
    .option("--zeros <part>", "part of each layer's weights to be zero, below 1", positive(0.999), 0.75)
    .option("--structure <kind>", "block, channels, unstructured, or N:M", structureOf, "block")
    .option("--importance <rule>", "magnitude, or activation: |w| times the mean |x| it meets", "magnitude")
    .option("--schedule <kind>", "cubic over the first half of the training, or oneShot", "cubic")
    .option("--least <n>", "weights of the smallest layer that is pruned", positive(), 2048)
    .option("--weights <choice>", "of what stays: int8, int4 …", "int8");
  withTrainingOptions(withCompressOptions(command))
    .option("--json", "print one JSON object: the card")
    .addHelpText("after", MORE)
    .action(prune);
}

async function prune(path: string, options: PruneOptions): Promise<void> {
  const folder = folderOf(options, "prune");
  const { zeros, structure, importance, schedule, least, epochs } = options;
  if (importance !== "magnitude" && importance !== "activation")
    throw new ToolError("USAGE", `--importance is "${importance}", expected magnitude or activation.`);
  if (schedule !== "cubic" && schedule !== "oneShot")
    throw new ToolError("USAGE", `--schedule is "${schedule}", expected cubic or oneShot.`);
  const progress = new Progress();
  const opened = await openForCompressing(path, options, progress);
  const { int8, evidence } = opened;
  const { recodeWeights } = await import("../../quantize/weights.ts");
  const { pruneGroups } = await import("../../prune/groups.ts");
  const { pruneChannels } = await import("../../prune/channels.ts");
  const rules = await weightRules(options.weights);
  const sizeOf = new Map(int8.tensors.map(({ name, data }) => [name, data?.length ?? 0]));
  const coded = (graph: Graph): Graph => (options.weights === "int8" ? graph : recodeWeights(graph, rules, evidence));
  const removed = (graph: Graph): Graph =>
    structure === "channels" ? pruneChannels(graph, { keep: 1 - zeros, multiple: 4 }) : graph;
  let graph: Graph;
  if (epochs === 0) {
    if (structure !== "block" && structure !== "channels")
      throw new ToolError("USAGE", "this structure needs training: add --epochs N, or choose block or channels.");
    const isLarge = (id: number): boolean => (int8.tensors[id]!.data?.length ?? 0) >= least;
    const pruned =
      structure === "block" ? pruneGroups(int8, ({ inputs }) => (isLarge(inputs[1]!) ? zeros : undefined)) : int8;
    graph = coded(removed(pruned));
  } else {
    const part = (name: string): number | undefined => ((sizeOf.get(name) ?? 0) >= least ? zeros : undefined);
    const rule = { zeros: part, structure, importance, ...(schedule === "oneShot" && { schedule }) } as const;
    const trained = await trainOn(opened, options, { rules, distil: "self", prune: rule }, progress);
    graph = removed(trained.graph);
  }
  const kind = typeof structure === "object" ? `${structure.keep}:${structure.of}` : structure;
  const how = epochs === 0 ? "without training" : `over ${epochs} epochs`;
  const what = `${opened.source.name} with ${(zeros * 100).toFixed(0)} % of the weights of its large layers zero (${kind}, ${importance}), ${options.weights}, ${how}.`;
  await writeOutcome(folder, { ...opened, name: int8.name, what, graph }, options, progress);
}
