// LiteRT.js: int8 nets behind QUANTIZE at both ends, because it takes no int8 arrays, or their float twins.
// `build` is its relaxed-SIMD file or its compatible one. It has no entry for Node: litertNode.mjs shims one.

export function input({ float, expected }, bytes) {
  if (float) return new Float32Array(bytes);
  const data = new Uint8Array(bytes);
  return expected.dtype === "int8" ? data.map((byte) => (byte + 128) & 255) : data;
}

export async function open({ modelFile, build, expected }, io, data) {
  const file = `/packages/@litertjs/core/wasm/litert_wasm${build === "relaxed" ? "" : "_compat"}_internal.js`;
  if (io.engine === "node") (await import("./litertNode.mjs")).pretendBrowser(io.path(file));

  const { loadLiteRt, loadAndCompile, Tensor } = await import(io.url("/made/litert.mjs"));
  await loadLiteRt(io.engine === "node" ? io.path(file) : file);
  const source = io.engine === "node" ? new Uint8Array(await io.bytes(modelFile)) : modelFile;
  const model = await loadAndCompile(source, { accelerator: "wasm", cpuOptions: { numThreads: 1 } });
  const tensor = new Tensor(data, expected.shapeNhwc);
  let output;
  return {
    build,
    async run() {
      const tensors = await model.run(tensor);
      output = tensors[0].toTypedArray().slice();
      for (const each of tensors) each.delete();
    },
    output: () => output,
  };
}
