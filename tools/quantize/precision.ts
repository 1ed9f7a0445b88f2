// What a user writes for the weights of a layer, and what it means. Invariant: every text parses to one meaning or is
// refused in a sentence that lists what there is.
//
//   int8 │ int7 │ int4[:g32|:g64|:g128][:asym] │ codebook[:5|:6|:7] │ binary │ ternary │ keep
//   sparse:0.75, int8+sparse:0.75, int4+sparse:0.75: such a part of the groups of weights zero (tools/prune/groups.ts)

import { ToolError } from "../errors.ts";

export type LayerWeights = Precision & {
  /** part of the groups of weights to be zeroed first; keep, int8 and int4 only */
  readonly zeros?: number;
};

type Precision =
  /** as the source model has them */
  | { readonly kind: "keep" }
  | { readonly kind: "int8" }
  /** −63 … 63, stored as int8: one relaxed dot instead of two */
  | { readonly kind: "int7" }
  | { readonly kind: "int4"; readonly groupSize?: number; readonly asymmetric: boolean }
  /** 16 values a layer, each of so many bits */
  | { readonly kind: "codebook"; readonly bits: number }
  | { readonly kind: "binary" }
  | { readonly kind: "ternary" };

const CHOICES =
  "keep, int8, int7, int4 (with :g32, :g64 or :g128 for groups of inputs, :asym for zero points), codebook (with :5 or :6 for narrower values), binary, ternary, or sparse:PART with a PART of zeros below 1, also int8+sparse:PART and int4+sparse:PART";

/** `where` names the option or the rule, for the message. Throws USAGE. */
export function parseWeights(text: string, where: string): LayerWeights {
  const refuse = (): never => {
    throw new ToolError("USAGE", `${where} is "${text}", expected ${CHOICES}.`);
  };
  const [, precision = "keep", part] = /^(?:(.+)\+)?sparse:(0?\.\d+)$/.exec(text) ?? [];
  if (part === undefined) return parsePrecision(text, refuse);
  const parsed = parsePrecision(precision, refuse);
  const isGrouped = parsed.kind === "int4" && parsed.groupSize !== undefined;
  return ["keep", "int8", "int4"].includes(parsed.kind) && !isGrouped ? { ...parsed, zeros: Number(part) } : refuse();
}

function parsePrecision(text: string, refuse: () => never): Precision {
  const [kind, ...options] = text.split(":");
  switch (kind) {
    case "keep":
    case "int8":
    case "int7":
    case "binary":
    case "ternary":
      return options.length === 0 ? { kind } : refuse();
    case "codebook": {
      const bits = Number(options[0] ?? 7);
      return options.length <= 1 && [5, 6, 7].includes(bits) ? { kind, bits } : refuse();
    }
    case "int4": {
      const asymmetric = options.includes("asym");
      const groups = options.filter((option) => option !== "asym");
      if (groups.length === 0) return { kind, asymmetric };
      const groupSize = { g32: 32, g64: 64, g128: 128 }[groups[0]!];
      return groups.length === 1 && groupSize !== undefined ? { kind, groupSize, asymmetric } : refuse();
    }
    default:
      return refuse();
  }
}
