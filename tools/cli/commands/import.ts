// `mote import`: a model file of another framework → a packed, tested .mote file.
// Invariant: the output appears only after it was read back and passed its self-test on every build.

import { basename, dirname, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { loadModel, type Model } from "../../../host/targets/node.ts";
import { ToolError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import { BUILDS } from "../builds.ts";
import { readInput, writeWhole } from "../files.ts";
import { readLabels } from "../labels.ts";
import { type Meanings, meaningsOf } from "../meanings.ts";
import { naming } from "../model.ts";
import { type OutputOptions, print } from "../output.ts";
import { Progress } from "../progress.ts";
import { count, fields } from "../table.ts";
import { readRules } from "../weightRules.ts";
import { meaningText } from "./inspect.ts";
import { type Check, selfTest } from "./verify.ts";

const MORE = `
A meaning lets "mote run" and your code feed pictures and sounds as they are:
  image            pixels 0 … 255 become 0 … 1
  image:MEAN,STD   real value = (pixel − MEAN) / STD
  audio:RATE       samples −1 … 1 at RATE a second, times GAIN with audio:RATE:GAIN
  none             do not guess
Without one, a single picture-shaped input is taken for a picture if its quantization maps pixels
0 … 255 onto the whole range under a usual scaling; what was guessed is printed.

Weights are rounded anew from those of the model, each channel (or group) to the scale of least squared error:
  int4             −8 … 7; int4:g32, :g64, :g128 with a scale for so many inputs; :asym with zero points
  codebook         16 values a layer, by k-means, seven bits each; codebook:5 and :6 narrower ones
  binary, ternary  −1, 1 and −1, 0, 1 with a scale a channel: for models trained for it
  int8, keep       eight bits; as they are
  int7             −63 … 63: as large as int8, faster where the relaxed build runs
  sparse:0.75      three quarters of the groups (8 outputs × 4 inputs) zero, those of least magnitude; also int8+sparse:0.75,
                   int4+sparse:0.75. "mote explain" tells which layers run the faster for it
  rules.json       {"default": "int4", "layers": [{"match": "first*", "weights": "int8"}]}: by layer name

Examples:
  mote import mobilenet.tflite -o small.mote --weights int4:g64
  mote import detector.onnx -o detector.mote --dim batch=1 --dim height=320
  mote import float.onnx -o int8.mote --calibrate samples/
  mote import kws.tflite -o kws.mote --labels keywords.txt
  mote import person.tflite -o person.mote --meaning image:127.5,127.5
  mote import stereo.tflite -o stereo.mote --meaning left=image --meaning right=image

  mote import kws.tflite -o spotter.mote --front-end kws --labels keywords.txt    then: mote run spotter.mote -i a.wav
  mote import strww.tflite -o wake.mote --stream

Exit status: 0 done, 1 the model cannot be imported or a file is bad, 2 bad usage.`;

interface ImportOptions extends OutputOptions {
  readonly output?: string;
  readonly labels?: string;
  readonly name?: string;
  readonly meaning?: readonly string[];
  readonly maxMemory?: number;
  readonly frontEnd?: string;
  readonly stream?: number | true;
  readonly weights?: string;
  readonly dim?: Readonly<Record<string, number>>;
  readonly check?: boolean;
  readonly calibrate?: string;
  readonly keepFloat?: readonly string[];
}

function byteCount(text: string): number {
  const bytes = Number(text);
  if (!Number.isInteger(bytes) || bytes < 1) {
    throw new InvalidArgumentError("It must be a whole number of bytes, 1 or more.");
  }
  return bytes;
}

function rowCount(text: string): number {
  const rows = Number(text);
  if (!Number.isInteger(rows) || rows < 1)
    throw new InvalidArgumentError("It must be a whole number of rows, 1 or more.");
  return rows;
}

/** Collects name=size. */
function dimension(given: string, before: Readonly<Record<string, number>> | undefined): Record<string, number> {
  const at = given.lastIndexOf("=");
  const size = Number(given.slice(at + 1));
  if (at < 1 || !Number.isInteger(size) || size < 1) {
    throw new InvalidArgumentError("It must be NAME=SIZE, a name of the model and a whole number of 1 or more.");
  }
  return { ...before, [given.slice(0, at)]: size };
}

export function addImport(program: Command): void {
  program
    .command("import")
    .summary("make a .mote file of a TensorFlow Lite or ONNX model")
    .description("Make a .mote file of a model, and check it on every build of the core before it is written.")
    .argument("<model>", "a .tflite or .onnx file, quantized or float")
    .option("-o, --output <file>", "the .mote file to write; an old one is replaced at once or not at all")
    .option("--labels <file>", "class names, one a line, for the output that has as many classes")
    .option("--name <name>", "the model's name (default: the file's, without its ending)")
    .addOption(
      new Option("--meaning <[input=]meaning>", "what an input's numbers stand for; may be repeated").argParser(
        (given: string, before: readonly string[] | undefined) => [...(before ?? []), given],
      ),
    )
    .option(
      "--max-memory <bytes>",
      "most memory for weights and tensors together; convolutions give up larger, faster weights to fit",
      byteCount,
    )
    .option(
      "--weights <choice|rules.json>",
      "other weights for the layers: int8, int7, int4, codebook, binary, ternary, sparse; see below",
    )
    .option(
      "--front-end <name>",
      "take samples instead of features: kws (MFCC of a second of sound) or strww (log filter bank)",
    )
    .option(
      "--stream [rows]",
      "keep what is needed from run to run, and take only this many new rows of time (features, samples); default: the fewest",
      rowCount,
    )
    .addOption(
      new Option("--dim <name=size>", "binds an open dimension of an .onnx model; may be repeated").argParser(
        dimension,
      ),
    )
    .option(
      "--calibrate <dir>",
      "quantizes a float model to int8 by the inputs in DIR: .npy or raw .bin files, or a folder an input",
    )
    .addOption(
      new Option(
        "--keep-float <layer>",
        "a layer that stays float32 when the model is quantized (* stands for anything); may be repeated",
      ).argParser((given: string, before: readonly string[] | undefined) => [...(before ?? []), given]),
    )
    .option("--check", "only say whether the model can be imported, and all that stands in its way")
    .option("--json", "print one JSON object with the summary")
    .addHelpText("after", MORE)
    .action(importFile);
}

async function importFile(path: string, options: ImportOptions): Promise<void> {
  const { output, labels: labelFile, name, maxMemory, weights, frontEnd, stream } = options;
  if (options.check) return checkOnly(path, options);
  // not commander's required option: it would hide a mistyped one
  if (output === undefined) throw new ToolError("USAGE", "mote import must know where to write: add --output FILE.");
  if (resolve(output) === resolve(path)) {
    throw new ToolError("USAGE", `--output ${output} is the model itself, which would be lost: give another file.`);
  }
  const progress = new Progress();
  const source = await progress.stage(`reading ${path}`, () => readInput(path));
  // loaded only now: the other commands start without the importer and the packer
  const { importModel, packGraph, recodeWeights, streamGraph, withFrontEnd } = await import("../../index.ts");
  const rules = weights === undefined ? undefined : await readRules(weights);
  const asIs = await progress.stage("importing", () => importModel(source, basename(path), onnxOptions(path, options)));
  const imported =
    options.calibrate === undefined ? asIs : await progress.stage("quantizing", () => quantized(asIs, options));
  const recoded = rules ? await progress.stage("rounding weights", () => recodeWeights(imported, rules)) : imported;
  const heard = frontEnd === undefined ? recoded : withFrontEnd(recoded, frontEnd);
  const streamed = stream === undefined ? heard : streamGraph(heard, stream === true ? undefined : stream);
  const graph: Graph = name === undefined ? streamed : { ...streamed, name };
  const meaning = options.meaning ?? (frontEnd === undefined ? [] : ["audio:16000"]);
  const labels = labelFile === undefined ? undefined : await readLabels(labelFile, graph);
  const { meanings, guessed } = meaningsOf(graph, meaning);
  const { bytes } = await progress.stage("packing", () =>
    packGraph(graph, {
      source: basename(path),
      sourceBytes: source,
      meanings,
      ...(labels && { labels }),
      ...(maxMemory !== undefined && { maxMemoryBytes: maxMemory }),
    }),
  );
  const model = await naming(output, () => loadModel(bytes));
  const checks: Check[] = [];
  for (const build of BUILDS) {
    checks.push(await progress.stage(`self-test on ${build}`, () => selfTest(output, model, build)));
  }
  await progress.stage(`writing ${output}`, () => writeWhole(output, bytes));
  const summary = summarize(model, output, source.length, bytes.length, guessed, checks);
  print(options, summary, () => summaryText(summary));
}

const onnxOptions = (path: string, { dim }: ImportOptions) => ({ dims: dim ?? {}, folder: dirname(resolve(path)) });

/** The graph in int8 where calibration data is given. */
async function quantized(graph: Graph, { calibrate: folder, keepFloat = [] }: ImportOptions): Promise<Graph> {
  if (folder === undefined) return graph;
  const { postTrainingQuantize } = await import("../../index.ts");
  const { calibrationInputs } = await import("../calibration.ts");
  const patterns = keepFloat.map(
    (name) =>
      new RegExp(
        `^${name
          .split("*")
          .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
          .join(".*")}$`,
      ),
  );
  return postTrainingQuantize(graph, await calibrationInputs(graph, folder), {
    keepFloat: (name) => patterns.some((pattern) => pattern.test(name)),
  });
}

/** Whether the model can be imported and packed: a summary, or every obstacle as the import's error. */
async function checkOnly(path: string, options: ImportOptions): Promise<void> {
  const { importModel, validateGraph } = await import("../../index.ts");
  const graph = importModel(await readInput(path), basename(path), onnxOptions(path, options));
  validateGraph(graph);
  const operators: Record<string, number> = {};
  for (const { op } of graph.nodes) operators[op] = (operators[op] ?? 0) + 1;
  print(options, { model: graph.name, ok: true, operators }, () =>
    fields([
      [
        "OK",
        `${basename(path)} can be imported: ${Object.entries(operators)
          .map(([op, times]) => `${op} × ${times}`)
          .join(", ")}`,
      ],
    ]),
  );
}

function summarize(
  model: Model,
  file: string,
  bytesIn: number,
  bytesOut: number,
  guessed: Meanings["guessed"],
  checks: readonly Check[],
) {
  const { steps } = model.header;
  const operators: Record<string, number> = {};
  // an operator may take several steps
  const nodes = new Map(steps.map(({ name, op }) => [name, op]));
  for (const op of nodes.values()) operators[op] = (operators[op] ?? 0) + 1;
  const macs = steps.reduce((sum, step) => sum + step.macs, 0);
  const { name, memoryBytes } = model;
  return { model: name, file, operators, steps: steps.length, macs, bytesIn, bytesOut, memoryBytes, guessed, checks };
}

function summaryText(summary: ReturnType<typeof summarize>): string {
  const { model, file, operators, steps, macs, bytesIn, bytesOut, memoryBytes, guessed, checks } = summary;
  const used = Object.entries(operators).map(([op, times]) => (times > 1 ? `${op} × ${times}` : op));
  return fields([
    ["model", model],
    ["operators", `${used.join(", ")} (${steps} steps)`],
    ["work", `${count(macs)} MACs a run`],
    ["size", `${count(bytesIn)} bytes in, ${count(bytesOut)} bytes out`],
    ["memory", `${count(memoryBytes)} bytes a session`],
    ...guessed.map(
      ({ input, meaning }) =>
        [
          "meaning",
          meaning === "none"
            ? `none guessed for input "${input}"; set one with --meaning to feed pictures or sounds`
            : `guessed for input "${input}": ${meaningText(meaning)}; change it with --meaning`,
        ] as const,
    ),
    ...checks.map(({ check, skipped }) => [skipped ? "skipped" : "OK", skipped ?? check] as const),
    ["written", file],
  ]);
}
