// Mote as its users run it: the published host, int8 in and out, outputs written into arrays that are reused.
// `variant` is a build of the core, "auto" for the one that the host chooses, or "int7" for that with such a model.

export const input = (_task, bytes) => bytes;

export async function open({ variant, modelFile }, io, bytes) {
  const entry = io.engine === "node" ? "/dist/host/targets/node.bundle.js" : "/made/mote/host/index.js";
  const { loadModel } = await import(io.url(entry));
  const model = await loadModel(io.url(modelFile));
  const session = await model.createSession(variant === "auto" || variant === "int7" ? {} : { build: variant });

  const inputs = {};
  const outputs = {};
  // without an input: zeros, and the file's own test vector for a check
  for (const { name } of model.inputs) inputs[name] = arrayLike(session.input(name), bytes);
  for (const { name } of model.outputs) outputs[name] = arrayLike(session.output(name));
  const [first] = Object.values(outputs);
  return {
    build: session.build,
    run: () => void session.run(inputs, outputs),
    output: () => first,
    ...(!bytes && { passed: () => session.selfTest() }),
  };
}

/** A new array of the kind and length of `view`: zeros, or `bytes`. */
function arrayLike(view, bytes) {
  const { constructor: Kind, length } = view;
  if (!bytes) return new Kind(length);
  const given = new Kind(bytes);
  if (given.length !== length) throw new Error(`The input has ${given.length} values, the model takes ${length}`);
  return given;
}
