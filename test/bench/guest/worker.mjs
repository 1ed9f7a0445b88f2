// The bench inside workerd: Mote with its core and its model as statically imported modules, the only way in which a
// Worker gets WebAssembly. engines/workerd.mjs bundles it with `bench:mote`, `bench:cores` and the files beside it.
import { cores } from "bench:cores";
import { loadModel } from "bench:mote";
import inputBytes from "./input.bin";
import modelBytes from "./model.bin";

let ready;

async function start() {
  const started = performance.now();
  const model = await loadModel(new Uint8Array(modelBytes), { core: cores });
  const session = await model.createSession();
  const port = session.input(model.inputs[0].name);
  const input = new port.constructor(inputBytes);
  const outputs = {};
  for (const { name } of model.outputs) outputs[name] = session.output(name).slice();
  session.run(input, outputs);
  const loadMs = performance.now() - started;
  return { session, input, outputs, loadMs };
}

export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/nothing") return Response.json({});
    ready ??= start();
    const { session, input, outputs, loadMs } = await ready;
    if (pathname === "/time") return Response.json({ ms: time(session, input, outputs, searchParams) });
    const output = [...Object.values(outputs)[0]];
    return Response.json({ output, loadMs, build: session.build, wasmBytes: session.memoryBytes });
  },
};

/** Mean of `runs` runs; asked for several times, for a minimum. */
function time(session, input, outputs, searchParams) {
  const runs = Number(searchParams.get("runs"));
  const started = performance.now();
  for (let i = 0; i < runs; i++) session.run(input, outputs);
  return (performance.now() - started) / runs;
}
