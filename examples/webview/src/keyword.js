// The microphone: a second of sound, four times a second, as MFCC to a keyword net.
import { mfcc, SAMPLE_RATE } from "../../features/mfcc.js";
import { has, open, say, scoresOf, showBars, showProblem, showRun } from "./models.js";

const EVERY = SAMPLE_RATE / 4;
const button = document.getElementById("listen");
const level = document.getElementById("level");

let runner;
let audio;
let stream;
let frames = 0;
const second = new Float32Array(SAMPLE_RATE);
let fresh = 0;

async function hear() {
  try {
    const outputs = await runner.offer(mfcc(second));
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

/** Takes samples of the machine's own rate: each of ours is the mean of those it stands for. */
function resampler(rate) {
  const ratio = rate / SAMPLE_RATE;
  let [sum, count, next] = [0, 0, ratio];
  return (samples, give) => {
    for (const sample of samples) {
      sum += sample;
      count++;
      for (next -= 1; next <= 0; next += ratio) {
        give(count > 0 ? sum / count : sample);
        [sum, count] = [0, 0];
      }
    }
  };
}

async function listen() {
  runner ??= await open("keywords");
  stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: false } });
  audio = new AudioContext();
  // some systems start it suspended; where it may not sound, it need not be waited for
  void audio.resume();
  await audio.audioWorklet.addModule("recorder.js");
  const recorder = new AudioWorkletNode(audio, "recorder", { numberOfOutputs: 0 });
  const resample = resampler(audio.sampleRate);
  recorder.port.onmessage = ({ data }) => {
    let loudest = 0;
    resample(data, (sample) => {
      second.copyWithin(0, 1);
      second[SAMPLE_RATE - 1] = sample;
      loudest = Math.max(loudest, Math.abs(sample));
      fresh++;
    });
    level.style.setProperty("--share", Math.min(1, loudest * 2).toFixed(3));
    if (fresh >= EVERY) {
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
  second.fill(0);
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
