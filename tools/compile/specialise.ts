// Makes of the template, which runs any plan, one that runs a given plan: whatever is handed a step gets a copy for
// each kind of step that the plan has (an operator with a kernel), in which the fields that all steps of the kind
// agree on are constants. What is then never reached falls away when Binaryen optimises. Knows no operator: what
// it does follows from the plan and from the text of the template.
// Invariant: a load of a step's field is replaced only where all steps that can get there have the same bytes.

import { STEP_WORDS, Step } from "../../assembly/abi.ts";
import type { ModuleText } from "./moduleText.ts";

/** The words of every step of a plan. */
export type StepWords = readonly Int32Array[];

/** Where a plan is walked; `checkStep` is not among them, as the compiler has had the core check the plan. */
const WALKERS = ["assembly/execute/runStep", "assembly/execute/prepareStep"];
const CHECK = "assembly/execute/checkStep";
const NARROW = "assembly/simd/machine/narrow";

/** Of a function whose first parameter is a step, which it keeps. */
const TAKES_STEP = /^\S+ \(param \$step i32\)/;
const CHANGES_STEP = /\(local\.(?:set|tee) \$step\s/;
/** What `field` and `fieldF32` of a step compile to. */
const LOAD =
  /\((i32|f32)\.load(?: offset=(\d+))?\s+(?:\(local\.get \$step\)|\(i32\.add\s+\(local\.get \$step\)\s+\(i32\.const (\d+)\)\s+\))\s+\)/g;
const CALL_WITH_STEP = /\(call \$([^\s)#]+)(\s+\(local\.get \$step\))/g;

/** What tells kinds of steps apart: operator and kernel. */
export const kindOf = (words: Int32Array): string => `${words[Step.Op]}#${words[Step.Kernel]}`;

function byKind(steps: StepWords): Map<string, StepWords> {
  const kinds = new Map<string, StepWords>();
  for (const words of steps) kinds.set(kindOf(words), [...(kinds.get(kindOf(words)) ?? []), words]);
  return kinds;
}

/** Settles which of the core's inner loops run (assembly/simd/machine.ts), and so leaves the others out. */
export function fixLoops(module: ModuleText, narrow: boolean): void {
  const constant = `(i32.const ${Number(narrow)})`;
  for (const name of module.names) module.set(name, module.get(name).replaceAll(`(global.get $${NARROW})`, constant));
}

/** Makes every walk of the plan end in a copy of its kind, and the checks of steps nothing. */
export function splitWalkers(module: ModuleText, steps: StepWords): void {
  const kinds = byKind(steps);
  for (const walker of WALKERS.filter((name) => module.has(name))) {
    let body = "(unreachable)";
    for (const [kind, alike] of kinds) {
      const is = (word: Step): string =>
        `(i32.eq (i32.load offset=${word * 4} (local.get $step)) (i32.const ${alike[0]![word]}))`;
      const copy = copyFor(module, walker, kind, alike);
      body = `(if (i32.and ${is(Step.Op)} ${is(Step.Kernel)}) (then (call $${copy} (local.get $step))) (else ${body}))`;
    }
    module.setBody(walker, body);
  }
  module.setBody(CHECK, "(i32.const 0)");
}

/**
 * The same for a core that is to run other plans of the same kinds of steps, too: what it is handed is still checked,
 * and a step of another kind is refused with `refusal`. `steps` has two of each kind with nothing else in common.
 */
export function splitCheckedWalkers(module: ModuleText, steps: StepWords, refusal: number): void {
  const before = module.get(CHECK);
  splitWalkers(module, steps);
  module.set(CHECK, before);
  let body = `(i32.const ${refusal})`;
  for (const [kind, alike] of byKind(steps)) {
    const is = (word: Step): string =>
      `(i32.eq (i32.load offset=${word * 4} (local.get $step)) (i32.const ${alike[0]![word]}))`;
    const copy = copyFor(module, CHECK, kind, alike);
    body = `(if (result i32) (i32.and ${is(Step.Op)} ${is(Step.Kernel)}) (then (call $${copy} (local.get $step))) (else ${body}))`;
  }
  module.setBody(CHECK, body);
}

/**
 * Makes the copies call copies of what they hand their step to. To be called again, after what became dead was
 * dropped, until it returns false.
 */
export function splitCallees(module: ModuleText, steps: StepWords): boolean {
  let changed = false;
  for (const [kind, alike] of byKind(steps)) {
    for (const name of module.names.filter((each) => each.replace(/"$/, "").endsWith(`#${kind}`))) {
      const text = module.get(name).replace(CALL_WITH_STEP, (call: string, callee: string, argument: string) => {
        if (!module.has(callee) || !TAKES_STEP.test(module.get(callee))) return call;
        changed = true;
        return `(call $${copyFor(module, callee, kind, alike)}${argument}`;
      });
      module.set(name, text);
    }
  }
  return changed;
}

/** The name of the copy of `name` for steps that are `alike`, which is made if it is not there. */
function copyFor(module: ModuleText, name: string, kind: string, alike: StepWords): string {
  // names with a comma stand in quotes
  const copy = name.replace(/"?$/, (quote) => `#${kind}${quote}`);
  if (!module.has(copy)) module.set(copy, withConstants(module.get(name).replace(name, copy), alike));
  return copy;
}

/** The text of a function with every load of a word that is the same in all of `steps` replaced. */
function withConstants(text: string, steps: StepWords): string {
  if (CHANGES_STEP.test(text)) return text;
  const first = steps[0]!;
  const floats = new Float32Array(first.buffer);
  return text.replace(LOAD, (load: string, type: string, offset = "0", added = "0") => {
    const word = (Number(offset) + Number(added)) / 4;
    if (!Number.isInteger(word) || word >= STEP_WORDS) return load;
    if (steps.some((words) => words[word] !== first[word])) return load;
    if (type === "i32") return `(i32.const ${first[word]})`;
    return Number.isFinite(floats[word]) ? `(f32.const ${floats[word]})` : load;
  });
}
