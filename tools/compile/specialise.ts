// Makes of the template, which runs any plan, one that runs a given plan: `runStep` calls a copy of each operator for
// each kernel that the plan has of it, and what a field of a step always says becomes a constant. What is then
// never reached falls away when Binaryen optimises. Knows no operator: what it does follows from the plan and from
// the text of the template.
// Invariant: a load of a step's field is replaced only where all steps that can get there have the same bytes.

import { STEP_WORDS, Step } from "../../assembly/abi.ts";
import type { ModuleText } from "./moduleText.ts";

/** Operator code → the function of the template that runs it. */
export type Dispatch = Readonly<Record<string, string>>;

/** The words of every step of a plan. */
export type StepWords = readonly Int32Array[];

const RUN = "assembly/execute/runStep";
const NARROW = "assembly/simd/machine/narrow";
const CHECK = "assembly/execute/checkStep";
/** Of a function whose first parameter is a step: what `address` and `field` compile to. */
const TAKES_STEP = /^\S+ \(param \$step i32\)/;
const LOAD = /\((i32|f32)\.load(?: offset=(\d+))?\s+(?:\(local\.get \$step\)|\(i32\.add\s+\(local\.get \$step\)\s+\(i32\.const (\d+)\)\s+\))\s+\)/g;

const kernelOf = (words: Int32Array): string => `${words[Step.Op]}#${words[Step.Kernel]}`;

/** Settles which of the core's inner loops run (assembly/simd/machine.ts), and so leaves the others out. */
export function fixLoops(module: ModuleText, narrow: boolean): void {
  const constant = `(i32.const ${Number(narrow)})`;
  for (const name of module.names) module.set(name, module.get(name).replaceAll(`(global.get $${NARROW})`, constant));
}

/** The template's text with its steps' operators and kernels made its own; to be simplified before `fixFields`. */
export function fixKernels(module: ModuleText, dispatch: Dispatch, steps: StepWords): void {
  const used = new Map(steps.map((words) => [kernelOf(words), words] as const));
  let body = "(unreachable)";
  for (const [kind, words] of used) {
    const runs = dispatch[words[Step.Op]!];
    if (runs === undefined) throw new Error(`The template has no operator ${words[Step.Op]}.`);
    const copy = `${runs}#${kind}`;
    module.set(copy, module.get(runs).replace(runs, copy));
    const is = (word: Step): string =>
      `(i32.eq (i32.load offset=${word * 4} (local.get $step)) (i32.const ${words[word]}))`;
    body = `(if (i32.and ${is(Step.Op)} ${is(Step.Kernel)}) (then (call $${copy} (local.get $step))) (else ${body}))`;
    fixWords(module, copy, steps.filter((each) => kernelOf(each) === kind));
  }
  module.setBody(RUN, body);
  // the compiler has had the core check the plan
  module.setBody(CHECK, "(i32.const 0)");
}

/** Replaces in function `name` every load of a word that is the same in all of `steps`. */
function fixWords(module: ModuleText, name: string, steps: StepWords): void {
  const text = module.get(name);
  if (/\(local\.(set|tee) \$step\b(?!\|)/.test(text)) return;
  const first = steps[0]!;
  const floats = new Float32Array(first.buffer, first.byteOffset, STEP_WORDS);
  module.set(
    name,
    text.replace(LOAD, (load: string, type: string, offset = "0", added = "0") => {
      const word = (Number(offset) + Number(added)) / 4;
      if (!Number.isInteger(word) || word >= STEP_WORDS) return load;
      if (steps.some((words) => words[word] !== first[word])) return load;
      if (type === "i32") return `(i32.const ${first[word]})`;
      return Number.isFinite(floats[word]) ? `(f32.const ${floats[word]})` : load;
    }),
  );
}

/** Makes the fields constant in the functions that operators hand their step to. */
export function fixFields(module: ModuleText, steps: StepWords): void {
  const reached = new Map<string, Set<string>>();
  const reach = (name: string, kind: string): void => {
    const kinds = reached.get(name) ?? new Set();
    if (kinds.has(kind)) return;
    reached.set(name, kinds.add(kind));
    for (const callee of module.calls(name)) if (module.has(callee)) reach(callee, kind);
  };
  for (const kind of new Set(steps.map(kernelOf))) {
    for (const name of module.names) if (name.endsWith(`#${kind}`)) reach(name, kind);
  }
  const handed = new Set([...reached.keys()].filter((name) => TAKES_STEP.test(module.get(name))));
  // one call with another step than the caller's own, and nothing is known
  for (const name of module.names) {
    const isHanded = handed.has(name);
    for (const [, callee, argument] of module.get(name).matchAll(/\(call \$([^\s)]+)\s+(\S+ \S+)/g)) {
      if (!(isHanded && argument === "(local.get $step)") && name !== RUN) handed.delete(callee!);
    }
  }
  for (const name of handed) fixWords(module, name, steps.filter((words) => reached.get(name)!.has(kernelOf(words))));
}
