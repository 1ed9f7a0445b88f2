// The camera: every frame is offered to a person detector, which takes the newest when it has time.
import { has, open, say, scoresOf, showBars, showProblem, showRun } from "./models.js";

const button = document.getElementById("look");
const view = document.getElementById("view");
let runner;
let stream;
let frames = 0;
let small;

/** The middle square of the picture in the net's size and channels. */
function input() {
  const [port] = runner.inputs;
  const [, size, , channels] = port.shape;
  small ??= new OffscreenCanvas(size, size).getContext("2d", { willReadFrequently: true });
  const side = Math.min(view.videoWidth, view.videoHeight);
  const [x, y] = [(view.videoWidth - side) / 2, (view.videoHeight - side) / 2];
  small.drawImage(view, x, y, side, side, 0, 0, size, size);
  const { data } = small.getImageData(0, 0, size, size);
  const { mean, std } = port.meaning;
  const values = new Float32Array(size * size * channels);
  for (let i = 0; i < size * size; i++) {
    const [r, g, b] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    if (channels === 1) values[i] = (0.299 * r + 0.587 * g + 0.114 * b - mean) / std;
    else for (let c = 0; c < 3; c++) values[3 * i + c] = (data[4 * i + c] - mean) / std;
  }
  return values;
}

async function onFrame() {
  if (!stream) return;
  next();
  try {
    const outputs = await runner.offer(input());
    if (!outputs || !stream) return;
    frames++;
    const scores = scoresOf(runner, outputs);
    const best = scores.reduce((a, b) => (b.score > a.score ? b : a));
    showBars(document.getElementById("person-bars"), scores);
    say("person-answer", best.label);
    showRun(runner, frames);
  } catch (error) {
    showProblem(error);
  }
}

// where the browser tells of each new picture, each is looked at once
const next = () =>
  view.requestVideoFrameCallback
    ? view.requestVideoFrameCallback(() => void onFrame())
    : requestAnimationFrame(() => void onFrame());

async function look() {
  runner ??= await open("person");
  const video = { facingMode: "environment", width: { ideal: 640 }, frameRate: { ideal: 30 } };
  stream = await navigator.mediaDevices.getUserMedia({ video });
  view.srcObject = stream;
  await view.play();
  button.setAttribute("aria-pressed", "true");
  button.textContent = "Stop the camera";
  next();
}

export function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = undefined;
  view.srcObject = null;
  runner?.release();
  button.setAttribute("aria-pressed", "false");
  button.textContent = "Start the camera";
  say("person-answer", "The camera is off");
}

export function start() {
  if (!has("person")) {
    button.disabled = true;
    say("person-answer", "This copy of the page has no person detector");
    return;
  }
  button.addEventListener("click", () => {
    showProblem();
    if (stream) return stop();
    return look().catch((error) => {
      stop();
      showProblem(error);
    });
  });
}
