// Voice activity over a WAV file of 16 kHz, window by window as it would stream: each run takes 512 new samples behind
// the last 64, and the LSTM's state from the run before. Prints the stretches of speech.
// usage: node examples/silero-vad/vad.mjs MODEL.onnx AUDIO.wav [threshold]
import { readFileSync } from "node:fs";
import { loadModel } from "mote-runtime/node";
import { importModel, packGraph } from "mote-runtime/tools";
import wavefile from "wavefile";

const RATE = 16000;
const WINDOW = 512;
const CONTEXT = 64;

const [modelPath, wavPath, given = "0.5"] = process.argv.slice(2);
const threshold = Number(given);
if (!modelPath || !wavPath || !(threshold > 0 && threshold < 1)) {
  console.error("usage: node examples/silero-vad/vad.mjs MODEL.onnx AUDIO.wav [threshold 0 … 1]");
  process.exit(2);
}

const wav = new wavefile.WaveFile(readFileSync(wavPath));
wav.toSampleRate(RATE);
wav.toBitDepth("32f");
const channels = wav.getSamples(false, Float64Array);
// of several channels the first
const samples = Float32Array.from(wav.fmt.numChannels > 1 ? channels[0] : channels);

const sourceBytes = readFileSync(modelPath);
// one window a run: the open length of the sequence is 1
const graph = importModel(sourceBytes, "silero_vad.onnx", { dims: { sequence_length: 1 } });
const model = await loadModel(packGraph(graph, { source: "silero_vad.onnx", sourceBytes }).bytes);
const session = await model.createSession();

const input = new Float32Array(CONTEXT + WINDOW);
let [h, c] = [new Float32Array(128), new Float32Array(128)];
const probabilities = [];
const started = performance.now();
for (let at = 0; at < samples.length; at += WINDOW) {
  input.copyWithin(0, WINDOW);
  input.fill(0, CONTEXT);
  input.set(samples.subarray(at, at + WINDOW), CONTEXT);
  const outputs = session.run({ input, h, c });
  probabilities.push(outputs.speech_probs[0]);
  [h, c] = [outputs.hn, outputs.cn];
}
const perWindow = (performance.now() - started) / probabilities.length;
session.dispose();

const seconds = (window) => ((window * WINDOW) / RATE).toFixed(2);
let from = -1;
for (let i = 0; i <= probabilities.length; i++) {
  const speech = (probabilities[i] ?? 0) >= threshold;
  if (speech && from < 0) from = i;
  if (!speech && from >= 0) {
    console.log(`speech ${seconds(from)} … ${seconds(i)} s`);
    from = -1;
  }
}
console.log(
  `${probabilities.length} windows of ${(WINDOW / RATE) * 1000} ms, ${perWindow.toFixed(2)} ms each; ${model.memoryBytes} bytes of memory`,
);
