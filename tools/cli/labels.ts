// A file of class names, one a line. Invariant: there are as many as some output has classes.

import { basename } from "node:path";
import { ToolError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { readInput } from "./files.ts";

export async function readLabels(path: string, graph: Graph): Promise<string[]> {
  const text = new TextDecoder().decode(await readInput(path));
  const labels = text.split(/\r?\n/).map((line) => line.trim());
  while (labels.at(-1) === "") labels.pop();
  const empty = labels.indexOf("");
  if (empty >= 0) {
    throw new ToolError(
      "BAD_INPUT",
      `${basename(path)} must have a class name on every line, got none on line ${empty + 1}.`,
    );
  }
  const classes = graph.outputs.map((id) => graph.tensors[id]!.shape.at(-1) ?? 1);
  if (!classes.includes(labels.length)) {
    throw new ToolError(
      "BAD_INPUT",
      `${basename(path)} must have one line a class, ${classes.join(" or ")} for this model, got ${labels.length}.`,
    );
  }
  return labels;
}
