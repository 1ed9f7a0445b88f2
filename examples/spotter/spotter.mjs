// A keyword spotter on a live stream: raw 16-bit samples, 16,000 a second, one channel, on standard input; says each word
// that it hears. The model is kws with its front end, made to take a quarter of a second a run:
//
//   mote import kws.tflite -o spotter.mote --front-end kws --stream 4000 --labels words.txt
//   arecord -q -f S16_LE -r 16000 -c 1 | node spotter.mjs spotter.mote

import { loadModel } from "mote-runtime/node";

const QUIET = new Set(["silence", "unknown"]);
/** A word is said when its score stays above this in two runs, half a second apart at most. */
const SURE = 0.6;

const model = await loadModel(process.argv[2]);
const session = await model.createSession();
const [input] = model.inputs;
const [output] = model.outputs;
const count = input.shape.at(-1);
const samples = new Float32Array(count);
const outputs = { [output.name]: new Float32Array(output.labels.length) };

let filled = 0;
let before;
let said;

/** Runs the model on the samples gathered. */
function listen() {
  session.run(samples, outputs);
  const scores = outputs[output.name];
  const best = scores.indexOf(Math.max(...scores));
  const word = scores[best] > SURE && !QUIET.has(output.labels[best]) ? output.labels[best] : undefined;
  if (word && word === before && word !== said) console.log(word);
  if (!word || word === before) said = word;
  before = word;
}

let odd = Buffer.alloc(0);
for await (const chunk of process.stdin) {
  const bytes = Buffer.concat([odd, chunk]);
  for (let at = 0; at + 2 <= bytes.length; at += 2) {
    samples[filled++] = bytes.readInt16LE(at) / 32768;
    if (filled < count) continue;
    filled = 0;
    listen();
  }
  odd = bytes.subarray(bytes.length & ~1);
}
