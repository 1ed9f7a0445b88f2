// A packed model → one WebAssembly module that is the model: a WASI command with the reactor's functions beside, the
// weights inside, of the kernels only those that the plan uses. assembly/wasi/compiled.ts is the template.
// Invariant: the same model gives the same module; its memory is the fewest pages that hold image, arena and slack.

import { readFile } from "node:fs/promises";
import { Plan, SLACK_BYTES, STEP_WORDS } from "../../assembly/abi.ts";
import { readModel } from "../../host/format/reader.ts";
import { ToolError } from "../errors.ts";
import { ModuleText } from "./moduleText.ts";
import { fixLoops, type StepWords, splitCallees, splitWalkers } from "./specialise.ts";

export type CompiledBuild = "simd" | "scalar";

/**
 * The inner loops of a simd module: `dot` is best on x86, and in interpreters everywhere; `narrow` on arm64 where the
 * engine compiles; `both` takes as much room as they do together and chooses when it starts.
 */
export type Loops = "dot" | "narrow" | "both";

export interface CompileOptions {
  readonly build?: CompiledBuild;
  readonly loops?: Loops;
}

export interface Compiled {
  readonly bytes: Uint8Array;
  /** of 64 KiB, that the module's memory has and keeps */
  readonly pages: number;
  readonly imageBytes: number;
}

const PAGE_BYTES = 65536;
// built, this file is dist/tools/compile/compile.js; run from source, the templates are still under dist
export const TEMPLATES = new URL(import.meta.url.endsWith(".ts") ? "../../dist/wasi/" : "../../wasi/", import.meta.url);
/** Makes `(i32.load (i32.add (local.get $step) …))` of what an unoptimised inlined call looks like. */
const SIMPLIFY = [
  ...["simplify-locals", "precompute-propagate", "optimize-instructions", "simplify-locals", "vacuum"],
  ...["precompute-propagate", "optimize-instructions", "remove-unused-names", "merge-blocks", "vacuum"],
];
const DROP_DEAD = ["precompute-propagate", "remove-unused-brs", "dce", "vacuum", "remove-unused-module-elements"];

/** Binaryen is as large as all else together, and only this command needs it. */
async function loadBinaryen(): Promise<typeof import("binaryen").default> {
  try {
    return (await import("binaryen")).default;
  } catch (cause) {
    throw new ToolError("USAGE", "compiling needs Binaryen: npm install binaryen, and try again.", { cause });
  }
}

export function stepsOf(image: Uint8Array): StepWords {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const [count, offset] = [view.getUint32(Plan.StepCount * 4, true), view.getUint32(Plan.StepOffset * 4, true)];
  return Array.from({ length: count }, (_, step) =>
    Int32Array.from({ length: STEP_WORDS }, (_, word) => view.getInt32(offset + (step * STEP_WORDS + word) * 4, true)),
  );
}

/** Where the template wants the image: the end of its own data. */
async function imageBaseOf(template: Uint8Array): Promise<number> {
  const module = await WebAssembly.compile(template as BufferSource);
  const nothing = () => 0;
  const imports = Object.fromEntries(WebAssembly.Module.imports(module).map(({ name }) => [name, nothing]));
  const { exports } = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: imports });
  return (exports.imageBase as () => number)();
}

/** What sets one kind of module apart from the other. */
export interface Edits {
  /** gives each kind of step a walk of its own */
  split(text: ModuleText): void;
  /** what is left to do once all that is dead is gone */
  finish?(text: ModuleText): void;
}

/** `template` with only the kernels that `steps` use, optimised. */
export async function specialised(
  template: Uint8Array,
  { build, loops }: Required<CompileOptions>,
  steps: StepWords,
  { split, finish }: Edits,
): Promise<Uint8Array> {
  const binaryen = await loadBinaryen();
  const { Features } = binaryen;
  const features =
    Features.MutableGlobals |
    Features.SignExt |
    Features.NontrappingFPToInt |
    Features.BulkMemory |
    Features.BulkMemoryOpt |
    (build === "simd" ? Features.SIMD128 : 0);

  /** Runs `passes` over the module in text form. */
  const through = (text: string, passes: readonly string[]): string => {
    const module = binaryen.parseText(text);
    module.setFeatures(features);
    module.runPasses([...passes]);
    const out = module.emitText();
    module.dispose();
    return out;
  };

  const original = binaryen.readBinary(template);
  // where the command's template wants its image: asked for by now, and no export of what is made
  original.removeExport("imageBase");
  let text = new ModuleText(through(original.emitText(), SIMPLIFY));
  original.dispose();
  if (loops !== "both") fixLoops(text, loops === "narrow");
  split(text);
  do text = new ModuleText(through(String(text), DROP_DEAD));
  while (splitCallees(text, steps));
  finish?.(text);

  const module = binaryen.parseText(String(text));
  module.setFeatures(features);
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(1);
  binaryen.setDebugInfo(false);
  // the second time finds what the first one's inlining laid bare
  module.optimize();
  module.optimize();
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

/**
 * Compiles the .mote file `model`.
 * @throws MoteError BAD_MODEL or VERSION for a file that is none or is damaged; ToolError where Binaryen is absent.
 */
export async function compileModel(model: Uint8Array, options: CompileOptions = {}): Promise<Compiled> {
  const { build = "simd", loops = "dot" } = options;
  const { image, header } = readModel(model);
  const template = await readFile(new URL(`template-${build}.wasm`, TEMPLATES));
  const base = await imageBaseOf(template);
  const pages = Math.ceil((base + header.memory.totalBytes + SLACK_BYTES) / PAGE_BYTES);
  const steps = stepsOf(image);
  const bytes = await specialised(template, { build, loops }, steps, {
    split: (text) => splitWalkers(text, steps),
    finish: (text) => text.setMemory(pages, base, image),
  });
  return { bytes, pages, imageBytes: image.length };
}
