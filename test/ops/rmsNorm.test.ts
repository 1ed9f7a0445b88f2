// rmsNorm: every build equals the reference, which is the real function rounded.

import { describe, it } from "vitest";
import {
  normalizeConforms,
  normalizeIsContained,
  normalizeIsReal,
  normalizeRefuses,
} from "../support/normalizeCases.ts";

describe("rmsNorm", () => {
  it("equals the reference on every build", () => normalizeConforms("rmsNorm"));
  it("is the real function, rounded", () => normalizeIsReal("rmsNorm"));
  it("stays inside the arena or is refused when its step is hostile", () => normalizeIsContained("rmsNorm"));
  it("refuses a gain of another length and an epsilon of 0", () => normalizeRefuses("rmsNorm"));
});
