// node heapGrowth.mjs model.mote int8|float32: prints the JS heap bytes that one run takes, with the
// caller's outputs ("filled") and without ("fresh"). A process of its own, so that nothing else allocates.
import { loadModel } from "../../dist/host/targets/node.js";

const [path, kind] = process.argv.slice(2);
const model = await loadModel(path);
const session = await model.createSession();
const ArrayOf = kind === "int8" ? Int8Array : Float32Array;
const inputs = { x: new ArrayOf(12) };
const outputs = { y: new ArrayOf(12) };
const RUNS = 10_000;

function growth(run) {
  let least = Infinity;
  // the first windows warm up the compiler; the least of the others is free of its own allocations
  for (let window = 0; window < 12; window++) {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < RUNS; i++) run();
    const grown = process.memoryUsage().heapUsed - before;
    if (window > 3) least = Math.min(least, grown / RUNS);
  }
  return least;
}

const filled = growth(() => session.run(inputs, outputs));
const fresh = growth(() => session.run(inputs));
console.log(JSON.stringify({ filled, fresh }));
