// How near the int8 embeddings are to the float ones, over the sentences of evaluation.txt (none is in calibration.txt):
// cosines, and Spearman's correlation of all pairs' similarities. Prints one line of JSON.
// usage: node examples/sentences/evaluate.mjs FOLDER [ROWS, 64 unless said]
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel } from "mote-runtime/node";
import { importModel, packGraph } from "mote-runtime/tools";
import { feedOf, readTokenizer, similarity } from "./embedder.mjs";

const [folder, given = "64"] = process.argv.slice(2);
const rows = Number(given);
if (!folder || !Number.isInteger(rows)) {
  console.error("usage: node examples/sentences/evaluate.mjs FOLDER [ROWS]");
  process.exit(2);
}
const json = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const tokenizer = readTokenizer(json("tokenizer.json"), json("tokenizer_config.json"));
const sentences = readFileSync(new URL("./evaluation.txt", import.meta.url), "utf8")
  .trim()
  .split("\n");

const source = `minilm-${rows}.onnx`;
const sourceBytes = readFileSync(join(folder, source));
const float = packGraph(importModel(sourceBytes, source), { source, sourceBytes }).bytes;
const int8 = await loadModel(readFileSync(join(folder, `minilm-${rows}.mote`)));
const [exact, near] = await Promise.all(
  [await loadModel(float), int8].map(async (model) => {
    const session = await model.createSession();
    const all = sentences.map((one) => Float32Array.from(session.run(feedOf(tokenizer, one, rows)).embedding));
    session.dispose();
    return all;
  }),
);

const cosines = exact.map((a, i) => similarity(a, near[i]));
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const pairs = (all) => all.flatMap((a, i) => all.slice(i + 1).map((b) => similarity(a, b)));
const ranks = (values) => {
  const order = [...values.keys()].sort((a, b) => values[a] - values[b]);
  const rank = new Float64Array(values.length);
  for (const [place, i] of order.entries()) rank[i] = place;
  return rank;
};
function correlation(a, b) {
  const [x, y] = [a, b].map((values) => {
    const centre = mean([...values]);
    return [...values].map((value) => value - centre);
  });
  return similarity(x, y) / Math.sqrt(similarity(x, x) * similarity(y, y));
}
console.log(
  JSON.stringify({
    rows,
    sentences: sentences.length,
    cosine: { mean: mean(cosines), least: Math.min(...cosines) },
    spearman: correlation(ranks(pairs(exact)), ranks(pairs(near))),
    memoryMiB: int8.memoryBytes / 2 ** 20,
  }),
);
