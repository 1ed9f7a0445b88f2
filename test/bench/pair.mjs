// What a second thread could win at most: the runs a second of one worker alone, and of two side by side, each with
// a session of its own and nothing shared. No division of a layer between two threads can beat the second figure.
//   node test/bench/pair.mjs model.mote …

import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { loadModel } from "../../dist/host/targets/node.js";

const ROUNDS = 6;
const ROUND_MS = 400;

/** Runs until `until` (milliseconds of the common clock) and answers with how often. */
async function work() {
  const model = await loadModel(workerData);
  const session = await model.createSession();
  const inputs = Object.fromEntries(
    model.inputs.map(({ name, shape }) => [name, new Float32Array(shape.reduce((a, b) => a * b))]),
  );
  const outputs = session.run(inputs);
  parentPort.on("message", (until) => {
    let runs = 0;
    for (; Date.now() < until; runs++) session.run(inputs, outputs);
    parentPort.postMessage(runs);
  });
  parentPort.postMessage("ready");
}

const answer = (worker) => new Promise((resolve) => worker.once("message", resolve));

async function measure(file) {
  const workers = [0, 1].map(() => new Worker(fileURLToPath(import.meta.url), { workerData: file }));
  await Promise.all(workers.map(answer));
  const most = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, group] of [workers.slice(0, 1), workers].entries()) {
      const answers = group.map(answer);
      const until = Date.now() + ROUND_MS;
      for (const worker of group) worker.postMessage(until);
      const runs = (await Promise.all(answers)).reduce((sum, count) => sum + count, 0);
      most[i] = Math.max(most[i], runs / (ROUND_MS / 1000));
    }
  }
  for (const worker of workers) await worker.terminate();
  console.log(
    `${file}: ${most[0].toFixed(0)} runs/s alone, ${most[1].toFixed(0)} by two: ${(most[1] / most[0]).toFixed(2)} times`,
  );
}

if (isMainThread) for (const file of process.argv.slice(2)) await measure(file);
else await work();
