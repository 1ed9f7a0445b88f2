// The builds of the core, fastest first, and the option that names one.

import { Option } from "commander";
import type { BuildName } from "../../host/targets/node.ts";

export const BUILDS = ["relaxed", "simd", "scalar"] as const satisfies readonly BuildName[];

export interface BuildOptions {
  readonly build?: BuildName;
}

export const buildOption = (): Option =>
  new Option("--build <name>", "build of the core (default: the fastest that runs here)").choices(BUILDS);
