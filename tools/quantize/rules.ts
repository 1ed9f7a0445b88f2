// Which layer gets which weights: one choice for all, or a JSON file of rules.
//
//   { "default": "int4", "layers": [ { "match": "first*", "weights": "int8" }, { "match": "/^dw[0-9]+$/", "weights": "keep" } ] }
//
// Invariant: the first rule that matches a layer's name decides, `default` where none does (keep, when it is left out);
// a match is a pattern with * and ? for the whole name, or a regular expression between slashes. Every rule matches a
// layer, or is a mistake.

import { ToolError } from "../errors.ts";
import { type LayerWeights, parseWeights } from "./precision.ts";

export interface Rule {
  /** as it was written */
  readonly match: string;
  readonly pattern: RegExp;
  readonly weights: LayerWeights;
}

export interface Rules {
  readonly default: LayerWeights;
  readonly layers: readonly Rule[];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The rules in a JSON text; `name` is the file's, for messages. Throws BAD_INPUT or USAGE. */
export function parseRules(text: string, name: string): Rules {
  const refuse = (what: string): never => {
    throw new ToolError(
      "BAD_INPUT",
      `${name} ${what}; write {"default": "int8", "layers": [{"match": "name*", "weights": "int4"}]}.`,
    );
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    return refuse(`is not JSON (${(cause as Error).message})`);
  }
  if (!isRecord(json)) return refuse("holds no JSON object");
  const { default: all = "keep", layers = [], ...others } = json;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return refuse(`has a field "${unknown}", expected "default" and "layers"`);
  if (typeof all !== "string") return refuse(`has a "default" that is no text`);
  if (!Array.isArray(layers)) return refuse(`has "layers" that are no list`);
  const rules = layers.map((layer: unknown, i): Rule => {
    const { match, weights, ...rest } = isRecord(layer) ? layer : {};
    if (typeof match !== "string" || typeof weights !== "string" || Object.keys(rest).length > 0) {
      return refuse(`has a rule ${i + 1} that is not {"match": …, "weights": …}`);
    }
    return {
      match,
      pattern: pattern(match) ?? refuse(`has a rule ${i + 1} with a bad expression ${match}`),
      weights: parseWeights(weights, `"weights" of rule ${i + 1} in ${name}`),
    };
  });
  return { default: parseWeights(all, `"default" in ${name}`), layers: rules };
}

function pattern(match: string): RegExp | undefined {
  if (match.length > 2 && match.startsWith("/") && match.endsWith("/")) {
    try {
      return new RegExp(match.slice(1, -1), "u");
    } catch {
      return undefined;
    }
  }
  const escaped = match.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${escaped.replaceAll("?", ".")}$`, "su");
}

/** What each of the named layers gets. Throws BAD_INPUT for a rule that matches none of them. */
export function choose(rules: Rules, names: readonly string[]): ReadonlyMap<string, LayerWeights> {
  const idle = rules.layers.find(({ pattern }) => !names.some((name) => pattern.test(name)));
  if (idle) {
    throw new ToolError(
      "BAD_INPUT",
      `the rule "${idle.match}" matches no layer with weights; the names are those that "mote explain" shows: ${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}.`,
    );
  }
  return new Map(
    names.map((name) => [name, rules.layers.find(({ pattern }) => pattern.test(name))?.weights ?? rules.default]),
  );
}
