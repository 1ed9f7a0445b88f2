// The paper: strokes by finger, mouse, pen or arrow keys; the net looks at every change.
import { open, say, scoresOf, showBars, showProblem, showRun } from "./models.js";

const SIZE = 28;
const BOX = 20; // the digits that the net learnt from fill 20 of 28 pixels
const STROKE = 22;
const STEP = 10;

const paper = document.getElementById("paper");
const ink = paper.getContext("2d", { willReadFrequently: true });
const small = new OffscreenCanvas(SIZE, SIZE).getContext("2d", { willReadFrequently: true });
let runner;
const pen = { x: 140, y: 140, down: false };

/** Bounds of what is drawn; undefined on an empty paper. */
function bounds() {
  const { data, width, height } = ink.getImageData(0, 0, paper.width, paper.height);
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let i = 0; i < width * height; i++)
    if (data[4 * i] > 40) {
      const [x, y] = [i % width, Math.floor(i / width)];
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
    }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The drawing as the net wants it: 20 pixels in its longer side, its weight in the middle of 28 × 28. */
function pixels(box) {
  const scale = BOX / Math.max(box.width, box.height);
  const [width, height] = [box.width * scale, box.height * scale];
  const draw = (x, y) => {
    small.fillStyle = "#000";
    small.fillRect(0, 0, SIZE, SIZE);
    small.imageSmoothingQuality = "high";
    small.drawImage(paper, box.left, box.top, box.width, box.height, x, y, width, height);
    return small.getImageData(0, 0, SIZE, SIZE).data;
  };
  const [x, y] = [(SIZE - width) / 2, (SIZE - height) / 2];
  const first = draw(x, y);
  let [sum, sumX, sumY] = [0, 0, 0];
  for (let i = 0; i < SIZE * SIZE; i++) {
    sum += first[4 * i];
    sumX += first[4 * i] * (i % SIZE);
    sumY += first[4 * i] * Math.floor(i / SIZE);
  }
  const shift = (middle) => Math.round(SIZE / 2 - 0.5 - middle / Math.max(sum, 1));
  const data = draw(x + shift(sumX), y + shift(sumY));
  return Float32Array.from({ length: SIZE * SIZE }, (_, i) => data[4 * i]);
}

async function look() {
  const box = bounds();
  try {
    const { mean, std } = runner.inputs[0].meaning;
    const input = (box ? pixels(box) : new Float32Array(SIZE * SIZE)).map((pixel) => (pixel - mean) / std);
    const outputs = await runner.offer(input);
    if (!outputs) return; // a newer drawing is on its way
    const scores = scoresOf(runner, outputs).map((each) => (box ? each : { ...each, score: 0 }));
    const best = scores.reduce((a, b) => (b.score > a.score ? b : a));
    showBars(document.getElementById("digit-bars"), scores);
    say("digit-answer", box ? `It is a ${best.label}` : "Nothing drawn yet");
    showRun(runner);
  } catch (error) {
    showProblem(error);
  }
}

function clear() {
  ink.fillStyle = "#000";
  ink.fillRect(0, 0, paper.width, paper.height);
}

function stroke(x, y, toX, toY) {
  ink.strokeStyle = "#fff";
  ink.lineWidth = STROKE;
  ink.lineCap = "round";
  ink.lineJoin = "round";
  ink.beginPath();
  ink.moveTo(x, y);
  ink.lineTo(toX, toY);
  ink.stroke();
  void look();
}

function place({ clientX, clientY }) {
  const { left, top, width, height } = paper.getBoundingClientRect();
  return [((clientX - left) / width) * paper.width, ((clientY - top) / height) * paper.height];
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function onKey(event) {
  const { x, y } = pen;
  if (event.key === " ") {
    pen.down = !pen.down;
    if (pen.down) stroke(x, y, x, y);
    say("digit-answer", pen.down ? "Pen down" : "Pen up");
  } else if (ARROWS[event.key]) {
    const [dx, dy] = ARROWS[event.key];
    pen.x = Math.max(0, Math.min(paper.width, x + dx * STEP));
    pen.y = Math.max(0, Math.min(paper.height, y + dy * STEP));
    if (pen.down) stroke(x, y, pen.x, pen.y);
  } else return;
  event.preventDefault();
}

export async function start() {
  const opening = open("digits");
  clear(); // while the model comes
  runner = await opening;
  paper.addEventListener("pointerdown", (event) => {
    paper.setPointerCapture(event.pointerId);
    [pen.x, pen.y] = place(event);
    stroke(pen.x, pen.y, pen.x, pen.y);
  });
  paper.addEventListener("pointermove", (event) => {
    if (event.buttons === 0) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) {
      const [x, y] = [pen.x, pen.y];
      [pen.x, pen.y] = place(each);
      stroke(x, y, pen.x, pen.y);
    }
  });
  document.getElementById("easel").addEventListener("keydown", onKey);
  document.getElementById("clear").addEventListener("click", () => {
    clear();
    void look();
  });
  document.getElementById("sample").addEventListener("click", () => {
    clear();
    stroke(80, 80, 200, 80);
    stroke(200, 80, 120, 220);
  });
  await look();
}

/** The panel is left; the drawing stays, the model's memory goes. */
export const stop = () => runner?.release();
export const resume = () => void look();
