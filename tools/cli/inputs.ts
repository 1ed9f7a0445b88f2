// `--input [name=]FILE` options → the arrays that a session takes. Invariant: every input of the model has
// exactly one file, or ToolError USAGE or BAD_INPUT says which has none.

import { basename } from "node:path";
import { Option } from "commander";
import type { Inputs, PortHeader, TensorArray } from "../../host/targets/node.ts";
import { feedFile } from "../data/feed.ts";
import { ToolError } from "../errors.ts";
import { readInput } from "./files.ts";

export interface InputOptions {
  readonly input?: readonly string[];
}

/** `otherwise` says what is fed without the option. */
export const inputOption = (otherwise = ""): Option =>
  new Option(
    "-i, --input <[name=]file>",
    `what to feed an input: .bin (raw little-endian elements), .npy, PNG, JPEG or WAV; once for every input, and without a name where the model has one${otherwise}`,
  ).argParser((given: string, before: readonly string[] | undefined) => [...(before ?? []), given]);

/** Splits "name=file"; both may contain "=", so that the longest name the model knows wins. */
function splitInput(given: string, ports: readonly PortHeader[]): readonly [port: PortHeader, file: string] {
  const named = ports
    .filter(({ name }) => given.startsWith(`${name}=`))
    .sort((a, b) => b.name.length - a.name.length)[0];
  if (named) return [named, given.slice(named.name.length + 1)];
  if (ports.length === 1) return [ports[0]!, given];
  throw new ToolError(
    "USAGE",
    `--input ${given} must start with the name of an input and "=": the model has ${namesOf(ports)}.`,
  );
}

const namesOf = (ports: readonly PortHeader[]): string => ports.map(({ name }) => `"${name}"`).join(", ");

/** Reads every file; `note` is told what was done to make one fit. */
export async function readInputs(
  given: readonly string[],
  ports: readonly PortHeader[],
  note: (text: string) => void,
): Promise<Inputs> {
  const files = new Map<string, string>();
  for (const text of given) {
    const [{ name }, file] = splitInput(text, ports);
    if (files.has(name))
      throw new ToolError("USAGE", `Input "${name}" is given twice: ${files.get(name)} and ${file}.`);
    files.set(name, file);
  }
  const missing = ports.filter(({ name }) => !files.has(name));
  if (missing.length > 0) {
    throw new ToolError("USAGE", `No file is given for ${namesOf(missing)}: add --input "${missing[0]!.name}=FILE".`);
  }
  const inputs: Record<string, TensorArray> = {};
  for (const port of ports) {
    const file = files.get(port.name)!;
    const fed = await feedFile(port, await readInput(file), basename(file));
    if (fed.note) note(fed.note);
    inputs[port.name] = fed.data;
  }
  return inputs;
}
