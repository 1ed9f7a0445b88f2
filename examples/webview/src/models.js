// The page's models: where they are, that they are the ones it was built with, and what a run of them shows. MODELS is
// put in by build.mjs: address, version and SHA-256 of each model that this copy of the page has.
import { createRunner, loadModel } from "mote-runtime/webview";

/* global MODELS */
const known = MODELS;
const element = (id) => document.getElementById(id);

const core = { relaxed: "core/relaxed.wasm", simd: "core/simd.wasm", scalar: "core/scalar.wasm" };
const options = ({ sha256, version }) => ({ core, verify: { sha256 }, cache: { version } });
const onThisThread = new URLSearchParams(location.search).has("thread");

export const has = (name) => name in known;

/** A runner for the model, its arrival shown while it takes. */
export async function open(name) {
  const bar = element("loading");
  const shown = setTimeout(() => {
    bar.hidden = false;
  }, 300);
  try {
    return await createRunner(known[name].address, {
      ...options(known[name]),
      worker: onThisThread ? false : () => new Worker("worker.js", { type: "module" }),
      onProgress: (received, total) => {
        bar.value = total ? received / total : 0;
      },
    });
  } finally {
    clearTimeout(shown);
    bar.hidden = true;
  }
}

/** Puts the other models into the cache while nothing else is to be done, so that they are there without a network. */
export async function keepForLater() {
  for (const model of Object.values(known)) await loadModel(model.address, options(model)).catch(() => undefined);
}

/** Probabilities of the first output by label. */
export function scoresOf({ outputs: [port] }, outputs) {
  const { scale = 1, zeroPoint = 0, dtype, labels } = port;
  const values = Array.from(outputs[port.name], (q) => (dtype === "float32" ? q : scale * (q - zeroPoint)));
  return values.map((score, i) => ({ label: labels?.[i] ?? `class ${i}`, score }));
}

/** Rows of labels with a bar and a percentage, made once and then only changed. */
export function showBars(list, scores) {
  while (list.children.length < scores.length) {
    const row = document.createElement("li");
    row.append(document.createElement("span"), document.createElement("span"));
    list.append(row);
  }
  const best = Math.max(...scores.map(({ score }) => score));
  for (const [i, { label, score }] of scores.entries()) {
    const row = list.children[i];
    row.style.setProperty("--share", score.toFixed(3));
    row.classList.toggle("best", score === best);
    row.firstChild.textContent = label;
    row.lastChild.textContent = `${Math.round(score * 100)} %`;
  }
}

/** The live numbers at the foot of the page. */
export function showRun(runner, frames) {
  // some browsers round their clock to whole milliseconds
  element("ms").textContent = runner.lastMs > 0 ? `${runner.lastMs.toFixed(2)} ms` : "< 1 ms";
  element("memory").textContent = `${runner.memoryBytes / 1024} KiB`;
  element("build").textContent = runner.build;
  element("frames").textContent = frames === undefined ? "–" : `${frames} · ${runner.dropped} late`;
}

/** Changes what a screen reader says only when it is another thing. */
export function say(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}

export function showProblem(error) {
  const line = element("problem");
  line.hidden = !error;
  if (error) line.textContent = error.message ?? String(error);
}
