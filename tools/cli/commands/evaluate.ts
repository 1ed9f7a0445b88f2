// `mote evaluate`: how a packed model does on labelled data. Invariant: what is judged is the file, run by the core.

import type { Command } from "commander";
import { ToolError } from "../../errors.ts";
import { elementCount } from "../../graph/graph.ts";
import { type BuildOptions, buildOption } from "../builds.ts";
import { naming, openModel } from "../model.ts";
import { type OutputOptions, print } from "../output.ts";
import { Progress } from "../progress.ts";
import { heldOut } from "../samples.ts";
import { type Cell, fields, table } from "../table.ts";

const MORE = `
DATA is a recipe (its test part is taken), a folder with x.npy and y.npy (labels), or a folder of pictures with
one folder a class, in the order of the labels.

Examples:
  mote evaluate cnn/model.mote --data models/mnist/cnn.ts
  mote evaluate model.mote --data held-out/ --json

Exit status: 0 done, 1 a file is bad or does not fit the model, 2 bad usage.`;

/** More classes than this are not shown as a matrix. */
const MOST_SHOWN = 20;

interface EvaluateOptions extends OutputOptions, BuildOptions {
  readonly data?: string;
}

export function addEvaluate(program: Command): void {
  program
    .command("evaluate")
    .summary("judge a model on labelled data")
    .description("Judge a classifier on labelled data: accuracy, the best k, who is taken for whom.")
    .argument("<model>", "a .mote file")
    .option("--data <path>", "a recipe, a folder with x.npy and y.npy, or a folder of pictures, one folder a class")
    .addOption(buildOption())
    .option("--json", "print one JSON object: samples, accuracy, top, confusion, classes")
    .addHelpText("after", MORE)
    .action(evaluate);
}

async function evaluate(path: string, options: EvaluateOptions): Promise<void> {
  const { data, build } = options;
  if (data === undefined) throw new ToolError("USAGE", "mote evaluate must know what to judge on: add --data PATH.");
  const { model } = await openModel(path);
  const [input, output] = [model.inputs[0]!, model.outputs[0]!];
  if (model.inputs.length !== 1)
    throw new ToolError("UNSUPPORTED", `${path} has ${model.inputs.length} inputs; evaluate judges models of one.`);
  const progress = new Progress();
  const { samples, classes } = await progress.stage("reading the data", () => heldOut(data, input));
  const width = elementCount(output.shape);
  const names = output.labels ?? classes ?? Array.from({ length: width }, (_, i) => `${i}`);
  if (!classes || classes.length > width || samples.y.some((label) => label >= width)) {
    throw new ToolError(
      "BAD_INPUT",
      `${path} scores ${width} classes but ${data} has ${classes ? classes.length : "no labels"}; evaluate judges classifiers.`,
    );
  }
  const { evaluateClassifier } = await import("../../evaluate/classify.ts");
  const session = await naming(path, () => model.createSession(build ? { build } : {}));
  const every = Math.max(1, Math.floor(samples.count / 20));
  const result = evaluateClassifier(
    (x) => Object.values(session.run(x))[0] as ArrayLike<number>,
    samples,
    width,
    (done) => {
      if (done % every === 0 && process.stderr.isTTY) progress.show(`${done} of ${samples.count} samples`);
    },
  );
  progress.clear();
  session.dispose();
  const { accuracy, top, confusion } = result;
  const value = { model: model.name, samples: samples.count, accuracy, top, classes: names, confusion };
  print(options, value, () => {
    const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
    const lines = fields([
      ["model", `${model.name} on the ${session.build} build`],
      ["samples", samples.count],
      ["accuracy", percent(accuracy)],
      ...top.map(({ k, share }) => [`in the best ${k}`, percent(share)] as const),
    ]);
    if (names.length > MOST_SHOWN) return lines;
    const rows = confusion.map((row, i): Cell[] => [names[i]!, ...row.map((n) => (n === 0 ? "·" : n))]);
    return `${lines}\n\n${table(["is \\ read as", ...names], rows)}`;
  });
}
