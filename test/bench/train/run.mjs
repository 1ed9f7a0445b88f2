// `npm run bench:train`: one SGD step of three nets, batch 64, one thread, by Mote's training engine, PyTorch (where
// python3 has it), jax-js and TensorFlow.js. Each engine runs in fresh processes, in turn, and its loss and
// gradients are compared with Mote's before its times count. Writes .bench/train.json and prints a table.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describeMachine } from "../machine.mjs";
import { OWN } from "../places.mjs";
import { install, installedVersion } from "../setup.mjs";
import { NETS } from "./nets.mjs";

const HERE = fileURLToPath(new URL("./", import.meta.url));
const TOLERANCE = 2e-3;
const ROUNDS = 3;
const LIMIT_MS = 240_000;

const only = process.argv.slice(2);
/** engines and nets may be named: `node run.mjs gru jax-js` */
const wanted = (name, all) => !only.some((word) => all.includes(word)) || only.includes(name);
const ENGINES = ["mote", "torch", "jax-js", "tfjs"];

function findTorch() {
  for (const python of ["python3", "/usr/bin/python3"]) {
    const found = spawnSync(python, ["-c", "import torch; print(torch.__version__)"], { encoding: "utf8" });
    if (found.status === 0) return { python, version: found.stdout.trim() };
  }
  return undefined;
}

const failed = install(["tfjsTrain", "jaxTrain"]);
const torch = findTorch();
if (!torch) console.log("note: no python3 here has PyTorch (Debian: apt-get install python3-torch), so it is left out");
const engines = [
  { name: "mote", rounds: ROUNDS, seconds: 3, command: (net) => [process.execPath, [`${HERE}mote.mjs`, net, "3"]] },
  ...(torch
    ? [
        {
          name: "torch",
          rounds: ROUNDS,
          version: torch.version,
          command: (net) => [torch.python, [`${HERE}torch_step.py`, net, "3", JSON.stringify(NETS[net])]],
        },
      ]
    : []),
  ...[
    ["jax-js", "jaxTrain", "jax.mjs", "@jax-js/jax"],
    ["tfjs", "tfjsTrain", "tfjs.mjs", "@tensorflow/tfjs"],
  ]
    .filter(([, need]) => !failed.includes(need))
    .map(([name, , script, pkg]) => ({
      name,
      rounds: 1,
      version: installedVersion(pkg),
      command: (net) => [process.execPath, [HERE + script, net, "4"]],
    })),
].filter(({ name }) => name === "mote" || wanted(name, ENGINES));

function run(engine, net) {
  const [command, args] = engine.command(net);
  const out = execFileSync(command, args, {
    encoding: "utf8",
    timeout: LIMIT_MS,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, OMP_NUM_THREADS: "1" },
  });
  return JSON.parse(out.trim().split("\n").at(-1));
}

/** What of `found` is not what Mote says; undefined if all is. */
function difference(found, own) {
  if (!(Math.abs(found.loss - own.loss) < TOLERANCE * own.loss)) return `the loss is ${found.loss}, not ${own.loss}`;
  for (const [name, [squares, product]] of Object.entries(own.gradients)) {
    const [theirSquares, theirProduct] = found.gradients[name] ?? [];
    const size = Math.sqrt(squares);
    const fits =
      Math.abs(Math.sqrt(theirSquares) - size) < TOLERANCE * size &&
      Math.abs(theirProduct - product) < TOLERANCE * size * 30;
    if (!fits) return `the gradient of ${name} is ${theirSquares}, ${theirProduct}, not ${squares}, ${product}`;
  }
  return undefined;
}

const results = {
  machine: describeMachine(),
  engines: engines.map(({ name, version }) => ({ name, version })),
  nets: {},
};
for (const net of Object.keys(NETS).filter((name) => wanted(name, Object.keys(NETS)))) {
  const row = {};
  let own;
  for (let round = 0; round < ROUNDS; round++) {
    for (const engine of engines) {
      if (round >= engine.rounds || row[engine.name]?.failure) continue;
      try {
        const found = run(engine, net);
        if (engine.name === "mote") own = found;
        const wrong = difference(found, own);
        if (wrong) throw new Error(wrong);
        const times = [...(row[engine.name]?.times ?? []), ...found.times];
        row[engine.name] = {
          times,
          best: Math.min(...times),
          median: times.toSorted((a, b) => a - b)[times.length >> 1],
        };
      } catch (error) {
        const [line] = String(error.stderr || error.message)
          .trim()
          .split("\n")
          .slice(-1);
        row[engine.name] = { failure: line };
        console.log(`${engine.name} ${net}: ${line}`);
      }
    }
  }
  results.nets[net] = row;
  for (const { name } of engines) {
    const { best, median, failure } = row[name] ?? {};
    const text = failure
      ? `no figure: ${failure}`
      : `${best.toFixed(2).padStart(10)} ms at best, ${median.toFixed(2)} median; ${(best / row.mote.best).toFixed(2)} × Mote`;
    console.log(`${net}  ${name.padEnd(7)} ${text}`);
  }
}
mkdirSync(OWN, { recursive: true });
for (const row of Object.values(results.nets)) for (const entry of Object.values(row)) delete entry.times;
writeFileSync(`${OWN}train.json`, `${JSON.stringify(results, null, 2)}\n`);
console.log(`Loss and gradients of every engine with figures agree with Mote's. Written: .bench/train.json`);
