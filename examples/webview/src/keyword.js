// The microphone: as much sound as a keyword net takes, four times a second; its front end is a part of the model.
import { has, open, say, scoresOf, showBars, showProblem, showRun } from "./models.js";

const button = document.getElementById("listen");
const level = document.getElementById("level");

let runner;
let audio;
let stream;
let frames = 0;
/** the newest samples, as many as the model takes */
let sound;
let fresh = 0;

async function hear() {
  try {
    const outputs = await runner.offer(sound);
    if (!outputs) return;
    frames++;
    const scores = scoresOf(runner, outputs);
    const best = scores.reduce((a, b) => (b.score > a.score ? b : a));
    showBars(document.getElementById("keyword-bars"), scores);
    const isWord = best.score > 0.7 && !/^(silence|unknown)$/i.test(best.label);
    if (isWord) say("keyword-answer", `“${best.label}”`);
    showRun(runner, frames);
  } catch (error) {
    showProblem(error);
  }
}

/** Takes samples of the machine's own rate to the model's: each is the mean of those it stands for. */
function resampler(from, to) {
  const ratio = from / to;
  let [sum, count, next] = [0, 0, ratio];
  return (samples) => {
    const made = [];
    for (const sample of samples) {
      sum += sample;
      count++;
      for (next -= 1; next <= 0; next += ratio) {
        made.push(count > 0 ? sum / count : sample);
        [sum, count] = [0, 0];
      }
    }
    return made;
  };
}

async function listen() {
  runner ??= await open("keywords");
  const { shape, meaning } = runner.inputs[0];
  sound ??= new Float32Array(shape.at(-1));
  stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: false } });
  audio = new AudioContext();
  // some systems start it suspended; where it may not sound, it need not be waited for
  void audio.resume();
  await audio.audioWorklet.addModule("recorder.js");
  const recorder = new AudioWorkletNode(audio, "recorder", { numberOfOutputs: 0 });
  const resample = resampler(audio.sampleRate, meaning.sampleRate);
  recorder.port.onmessage = ({ data }) => {
    const samples = resample(data);
    sound.copyWithin(0, samples.length);
    sound.set(samples, sound.length - samples.length);
    fresh += samples.length;
    const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    level.style.setProperty("--share", Math.min(1, loudest * 2).toFixed(3));
    if (fresh >= meaning.sampleRate / 4) {
      fresh = 0;
      void hear();
    }
  };
  audio.createMediaStreamSource(stream).connect(recorder);
  button.setAttribute("aria-pressed", "true");
  button.textContent = "Stop";
  say("keyword-answer", "Listening …");
}

export function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  void audio?.close();
  stream = audio = undefined;
  runner?.release();
  sound?.fill(0);
  button.setAttribute("aria-pressed", "false");
  button.textContent = "Listen";
  level.style.setProperty("--share", "0");
  say("keyword-answer", "Not listening");
}

export function start() {
  if (!has("keywords")) {
    button.disabled = true;
    say("keyword-answer", "This copy of the page has no keyword model");
    return;
  }
  button.addEventListener("click", () => {
    showProblem();
    if (stream) return stop();
    return listen().catch((error) => {
      stop();
      showProblem(error);
    });
  });
}
