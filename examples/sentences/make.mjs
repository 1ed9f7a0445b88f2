// Makes minilm-ROWS.mote, int8, from the PyPI package's folder, and beside it minilm-ROWS.onnx, the float model that it is
// of. usage: node examples/sentences/make.mjs FOLDER [ROWS, 64 unless said]
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { importModel, packGraph, postTrainingQuantize } from "mote-runtime/tools";
import { bertOnnx } from "./bert.mjs";
import { feedOf, readTokenizer } from "./embedder.mjs";

const [folder, given = "64"] = process.argv.slice(2);
const rows = Number(given);
if (!folder || !Number.isInteger(rows) || rows < 4 || rows > 512) {
  console.error("usage: node examples/sentences/make.mjs FOLDER [ROWS, 4 to 512]");
  process.exit(2);
}
const json = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const started = performance.now();
const say = (what) => console.log(`${((performance.now() - started) / 1000).toFixed(1)} s: ${what}`);

const source = `minilm-${rows}.onnx`;
const sourceBytes = bertOnnx(readFileSync(join(folder, "model.safetensors")), json("config.json"), rows);
writeFileSync(join(folder, source), sourceBytes);
say(`${source} written, ${sourceBytes.length} bytes of float32`);
const graph = importModel(sourceBytes, source);
const tokenizer = readTokenizer(json("tokenizer.json"), json("tokenizer_config.json"));
const sentences = readFileSync(new URL("./calibration.txt", import.meta.url), "utf8")
  .trim()
  .split("\n");
const sets = sentences.map((sentence) => {
  const { input_ids, attention_mask } = feedOf(tokenizer, sentence, rows);
  return [input_ids, attention_mask];
});
// what sticks out of a transformer's tensors it needs: no range is narrowed
const integer = postTrainingQuantize(graph, sets, { observer: { kind: "minmax" }, biasCorrection: false });
say(`quantized by ${sets.length} sentences`);
const { bytes } = packGraph(integer, { source, sourceBytes });
writeFileSync(join(folder, `minilm-${rows}.mote`), bytes);
say(`minilm-${rows}.mote written, ${bytes.length} bytes`);
