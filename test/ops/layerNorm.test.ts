// layerNorm: every build equals the reference, which is the real function rounded.

import { describe, it } from "vitest";
import {
  normalizeConforms,
  normalizeIsContained,
  normalizeIsReal,
  normalizeRefuses,
} from "../support/normalizeCases.ts";

describe("layerNorm", () => {
  it("equals the reference on every build", () => normalizeConforms("layerNorm"));
  it("is the real function, rounded", () => normalizeIsReal("layerNorm"));
  it("stays inside the arena or is refused when its step is hostile", () => normalizeIsContained("layerNorm"));
  it("refuses a gain of another length and an epsilon of 0", () => normalizeRefuses("layerNorm"));
});
