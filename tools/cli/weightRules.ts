// `--weights`: one choice for every layer, or the name of a JSON file of rules.

import { basename } from "node:path";
import { parseWeights } from "../quantize/precision.ts";
import { parseRules, type Rules } from "../quantize/rules.ts";
import { readInput } from "./files.ts";

export async function readRules(choice: string): Promise<Rules> {
  if (!choice.endsWith(".json")) return { default: parseWeights(choice, "--weights"), layers: [] };
  return parseRules(new TextDecoder().decode(await readInput(choice)), basename(choice));
}
