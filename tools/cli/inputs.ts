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
    `what to feed an input: .bin (raw little-endian elements), .npy, PNG, JPEG or WAV; once for every input, with its name or in the model's order${otherwise}`,
  ).argParser((given: string, before: readonly string[] | undefined) => [...(before ?? []), given]);

/** The port that "name=file" names; both may contain "=", so that the longest name the model knows wins. */
function namedPort(given: string, ports: readonly PortHeader[]): PortHeader | undefined {
  return ports.filter(({ name }) => given.startsWith(`${name}=`)).sort((a, b) => b.name.length - a.name.length)[0];
}

/** Each input's file: those with a name first, then those without one in the model's order. */
function filesOf(given: readonly string[], ports: readonly PortHeader[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const nameless: string[] = [];
  for (const text of given) {
    const port = namedPort(text, ports);
    if (!port) {
      nameless.push(text);
      continue;
    }
    const file = text.slice(port.name.length + 1);
    if (files.has(port.name))
      throw new ToolError("USAGE", `Input "${port.name}" is given twice: ${files.get(port.name)} and ${file}.`);
    files.set(port.name, file);
  }
  for (const file of nameless) {
    const port = ports.find(({ name }) => !files.has(name));
    if (!port)
      throw new ToolError("USAGE", `--input ${file} is one too many or misnamed: the model has ${namesOf(ports)}.`);
    files.set(port.name, file);
  }
  const missing = ports.filter(({ name }) => !files.has(name));
  if (missing.length > 0) {
    throw new ToolError("USAGE", `No file is given for ${namesOf(missing)}: add --input "${missing[0]!.name}=FILE".`);
  }
  return files;
}

const namesOf = (ports: readonly PortHeader[]): string => ports.map(({ name }) => `"${name}"`).join(", ");

/** Reads every file; `note` is told what was done to make one fit. */
export async function readInputs(
  given: readonly string[],
  ports: readonly PortHeader[],
  note: (text: string) => void,
): Promise<Inputs> {
  const files = filesOf(given, ports);
  const inputs: Record<string, TensorArray> = {};
  for (const port of ports) {
    const file = files.get(port.name)!;
    const fed = await feedFile(port, await readInput(file), basename(file));
    if (fed.note) note(fed.note);
    inputs[port.name] = fed.data;
  }
  return inputs;
}
