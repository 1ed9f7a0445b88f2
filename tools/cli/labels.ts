// A file of class names, one a line. Invariant: there are as many as some output has classes.

import { basename } from "node:path";
import { ToolError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { readInput } from "./files.ts";

function decode(bytes: Uint8Array, name: string): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {
    // not UTF-8
  }
  throw new ToolError("BAD_INPUT", `${name} must be UTF-8 text with a class name on every line.`);
}

export async function readLabels(path: string, graph: Graph): Promise<string[]> {
  const text = decode(await readInput(path), basename(path));
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
