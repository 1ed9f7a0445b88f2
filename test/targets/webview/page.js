// What the tests of mote-runtime/webview call inside a page. Invariant: answers are plain JSON, a failure its code.
import * as mote from "/dist/host/targets/webview.bundle.js";

const violations = [];
addEventListener("securitypolicyviolation", ({ violatedDirective }) => violations.push(violatedDirective));

/** Addresses fetched since the page was opened. */
const fetched = [];
const fetchOf = window.fetch;
window.fetch = (resource, ...rest) => {
  fetched.push(new URL(resource.url ?? resource, location.href).pathname);
  return fetchOf(resource, ...rest);
};

const code = async (work) => {
  try {
    await work();
    return "none";
  } catch (error) {
    return error.code ?? error.message ?? String(error);
  }
};
const plain = (outputs) => outputs && Object.values(outputs).map((output) => [...output]);
const ramp = (length, seed = 0) => Int8Array.from({ length }, (_, i) => ((i * 37 + seed * 11) % 256) - 128);
const lengthOf = ({ inputs: [port] }) => port.shape.reduce((product, size) => product * size, 1);

window.tests = {
  violations: () => violations,
  hasCaches: () => typeof caches === "object",

  /** one run of a model: outputs, build and where */
  async run(address, options = {}) {
    const runner = await mote.createRunner(address, options);
    const outputs = plain(await runner.run(ramp(lengthOf(runner))));
    const { build, memoryBytes, name } = runner;
    runner.dispose();
    return { outputs, build, memoryBytes, name, after: runner.memoryBytes, run: await code(() => runner.run(ramp(1))) };
  },

  async session(address, options = {}) {
    const model = await mote.loadModel(address, options);
    const session = await model.createSession();
    return { outputs: plain(session.run(ramp(lengthOf(model)))), build: session.build };
  },

  refused: (address, options) => code(() => mote.createRunner(address, options)),

  async progress(address) {
    const seen = [];
    const runner = await mote.createRunner(address, { onProgress: (got, all) => seen.push([got, all ?? null]) });
    runner.dispose();
    return seen;
  },

  async aborted(address) {
    const reasons = [];
    for (const abort of [
      (c) => c.abort(new Error("enough")),
      (c) => queueMicrotask(() => c.abort(new Error("enough"))),
    ]) {
      const controller = new AbortController();
      const loading = mote.createRunner(address, { signal: controller.signal });
      abort(controller);
      reasons.push(await code(() => loading));
    }
    const during = new AbortController();
    const onProgress = () => during.abort(new Error("in the middle"));
    reasons.push(await code(() => mote.createRunner(address, { signal: during.signal, onProgress })));
    return reasons;
  },

  /** which of the loads one after the other asked the server for the model */
  async cached(address, versions, options = {}) {
    const asked = [];
    for (const version of versions) {
      fetched.length = 0;
      const runner = await mote.createRunner(address, { ...options, cache: { version } });
      runner.dispose();
      asked.push(fetched.filter((path) => path.endsWith(".mote")).length);
    }
    const entries = (await (await caches.open("mote-models")).keys()).map(({ url }) => new URL(url));
    return { asked, entries: entries.filter(({ pathname }) => pathname === address).length };
  },

  /** puts other bytes in the place of the cached model */
  async poison(address, version, other) {
    const cache = await caches.open("mote-models");
    await cache.put(`${address}?mote-version=${version}`, await fetchOf(other));
  },

  async frames(address, options = {}) {
    const runner = await mote.createRunner(address, options);
    const frame = ramp(lengthOf(runner));
    const wanted = plain(await runner.run(ramp(lengthOf(runner), 99)));
    const offered = [];
    for (let i = 0; i < 100; i++) {
      frame.set(ramp(frame.length, i)); // the same array for every frame, as a camera loop has it
      offered.push(runner.offer(frame));
    }
    const outputs = (await Promise.all(offered)).map(plain);
    const served = outputs.flatMap((each, i) => (each ? [i] : []));
    const { dropped } = runner;
    runner.dispose();
    return { served, dropped, newestRight: JSON.stringify(outputs.at(-1)) === JSON.stringify(wanted) };
  },

  /** frames of a stream, with the event before the fourth of six */
  async stream(address, options, event) {
    const runner = await mote.createRunner(address, options);
    const outputs = [];
    let released = null;
    for (let i = 0; i < 6; i++) {
      if (i === 3 && event) {
        (event === "freeze" ? document : window).dispatchEvent(new Event(event));
        released = runner.memoryBytes;
      }
      outputs.push(plain(await runner.run(ramp(lengthOf(runner), i)))[0]);
    }
    const held = runner.memoryBytes;
    runner.dispose();
    return { outputs, released, held: held > 0 };
  },

  async disposed(address, options = {}) {
    const runner = await mote.createRunner(address, options);
    const runs = [0, 1, 2].map((i) => code(() => runner.run(ramp(lengthOf(runner), i))));
    const frame = code(() => runner.offer(ramp(lengthOf(runner))));
    runner.dispose();
    runner.dispose();
    return [await Promise.all(runs), await frame, await code(() => runner.offer(ramp(1)))];
  },

  async badInput(address, options = {}) {
    const runner = await mote.createRunner(address, options);
    const first = await code(() => runner.run(new Int8Array(3)));
    const after = await code(() => runner.run(ramp(lengthOf(runner))));
    runner.dispose();
    return [first, after];
  },

  noScript: (address) =>
    code(() => mote.createRunner(address, { worker: () => new Worker("/no-such-script.js", { type: "module" }) })),

  /** sessions made, run and disposed of; how many of their memories were not collected */
  async sessions(address, count) {
    const model = await mote.loadModel(address);
    let left = count;
    const registry = new FinalizationRegistry(() => left--);
    const input = ramp(lengthOf(model));
    for (let i = 0; i < count; i++) {
      const session = await model.createSession();
      session.run(input);
      registry.register(session.input(model.inputs[0].name).buffer);
      session.dispose();
    }
    // nothing but need makes an engine collect
    for (const end = Date.now() + 60_000; left > 15 && Date.now() < end; ) {
      for (let i = 0; i < 20; i++) new Uint8Array(2 ** 20).fill(i);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return left;
  },

  async cycles(address, count, options = {}) {
    for (let i = 0; i < count; i++) {
      const runner = await mote.createRunner(address, options);
      await runner.run(ramp(lengthOf(runner), i));
      runner.dispose();
    }
  },
};
