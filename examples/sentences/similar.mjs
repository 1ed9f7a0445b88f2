// Which line of a text file is nearest in meaning to a question.
// usage: node examples/sentences/similar.mjs FOLDER TEXT.txt "a question"
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel } from "mote-runtime/node";
import { embedder, readTokenizer, similarity } from "./embedder.mjs";

const [folder, text, question] = process.argv.slice(2);
if (!folder || !text || !question) {
  console.error('usage: node examples/sentences/similar.mjs FOLDER TEXT.txt "a question"');
  process.exit(2);
}
const json = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const sizes = [16, 64].filter((rows) => existsSync(join(folder, `minilm-${rows}.mote`)));
if (sizes.length === 0) {
  console.error(`${folder} has no minilm-16.mote or minilm-64.mote; make one with make.mjs.`);
  process.exit(1);
}
const sessions = await Promise.all(
  sizes.map(async (rows) => {
    const model = await loadModel(readFileSync(join(folder, `minilm-${rows}.mote`)));
    return { rows, session: await model.createSession() };
  }),
);
const embed = embedder(readTokenizer(json("tokenizer.json"), json("tokenizer_config.json")), sessions);
const asked = embed(question);
const lines = readFileSync(text, "utf8").trim().split("\n");
const scored = lines.map((line) => ({ line, score: similarity(asked, embed(line)) }));
for (const { line, score } of scored.sort((a, b) => b.score - a.score).slice(0, 5)) console.log(score.toFixed(3), line);
for (const { session } of sessions) session.dispose();
