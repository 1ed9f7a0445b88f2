// Runs vectors on one build of the core through the host, wherever there is JavaScript, and compares every byte.
// Invariant: knows of its surroundings only what it is given.

/** Shortest of some runs, and at least so many. */
const TIMED_MS = 400;
const TIMED_RUNS = 20;

const bytesOf = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/**
 * @param {{ name: string, model: number[], input: number[], output: number[] }[]} index places in `blob`
 * @param timed name of the model that is timed, too
 * @returns which build ran, each model's outcome, and the timed model's milliseconds a run
 */
export async function runVectors(loadModel, core, index, blob, build, timed) {
  const outcomes = [];
  let ms;
  for (const { name, model, input, output } of index) {
    const loaded = await loadModel(blob.slice(...model), core ? { core } : {});
    const session = await loaded.createSession({ build });
    const inputs = Object.fromEntries(loaded.inputs.map((port) => [port.name, session.input(port.name)]));
    const outputs = Object.fromEntries(loaded.outputs.map((port) => [port.name, session.output(port.name)]));
    let [from, to] = [input[0], output[0]];
    let differing = 0;
    do {
      for (const view of Object.values(inputs)) {
        bytesOf(view).set(blob.subarray(from, from + view.byteLength));
        from += view.byteLength;
      }
      session.run(inputs, outputs);
      for (const view of Object.values(outputs)) {
        for (const byte of bytesOf(view)) if (byte !== blob[to++]) differing++;
      }
    } while (from < input[1]);
    outcomes.push({ model: name, equal: differing === 0 && to === output[1] });
    if (name === timed) {
      const until = performance.now() + TIMED_MS;
      for (let runs = 0; runs < TIMED_RUNS || performance.now() < until; runs++) {
        const started = performance.now();
        // clocks of browsers are coarse
        for (let i = 0; i < 10; i++) session.run(inputs, outputs);
        const each = (performance.now() - started) / 10;
        if (each > 0) ms = Math.min(ms ?? each, each);
      }
    }
    session.dispose();
  }
  return { build, outcomes, ms };
}
