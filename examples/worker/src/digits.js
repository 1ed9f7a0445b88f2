// POST /digits: which handwritten digit a picture shows. The model is a data module: part of the Worker's upload.
import { decode } from "fast-png";
import digits from "mote-runtime/models/digits/digits.mote";
import { HttpError, loadModel, perIsolate, readBody } from "mote-runtime/worker";
import { ranked } from "./scores.js";

const SIZE = 28;
const RAW = "application/octet-stream";
const LIMITS = { maxBytes: 256 * 1024, types: ["image/png", RAW], timeoutMs: 5000 };
const MOST_SIDE = 1024;

let model;
const session = perIsolate(async () => {
  model = await loadModel(digits);
  return model;
});

/** The PNG's size is in its first 24 bytes: looked at before anything is unpacked. */
function checkSize(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 33 || view.getUint32(0) !== 0x89504e47) throw new HttpError(400, "The body is not a PNG.");
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width < 1 || height < 1 || width > MOST_SIDE || height > MOST_SIDE)
    throw new HttpError(422, `The picture may have 1 to ${MOST_SIDE} pixels a side, not ${width} × ${height}.`);
}

/** Brightness 0 … 255 of the picture's pixels, each the mean of the area it stands for: 28 × 28. */
function toGrey(bytes) {
  checkSize(bytes);
  let picture;
  try {
    picture = decode(bytes);
  } catch (cause) {
    throw new HttpError(400, "The PNG is damaged.", { cause });
  }
  const { width, height, data, channels, depth, palette } = picture;
  const most = 2 ** depth - 1;
  const brightness = (at) => {
    if (palette) return palette[data[at]].slice(0, 3).reduce((sum, value) => sum + value, 0) / 3;
    if (channels < 3) return (data[at * channels] / most) * 255;
    return ((data[at * channels] + data[at * channels + 1] + data[at * channels + 2]) / 3 / most) * 255;
  };
  return Float32Array.from({ length: SIZE * SIZE }, (_, i) => {
    const [row, column] = [Math.floor(i / SIZE), i % SIZE];
    const [top, left] = [Math.floor((row * height) / SIZE), Math.floor((column * width) / SIZE)];
    const bottom = Math.max(top + 1, Math.floor(((row + 1) * height) / SIZE));
    const right = Math.max(left + 1, Math.floor(((column + 1) * width) / SIZE));
    let sum = 0;
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += brightness(y * width + x);
    return sum / ((bottom - top) * (right - left));
  });
}

export async function classifyDigit(request) {
  const bytes = await readBody(request, LIMITS);
  const isRaw = request.headers.get("content-type").startsWith(RAW);
  if (isRaw && bytes.length !== SIZE * SIZE)
    throw new HttpError(400, `A raw picture has ${SIZE * SIZE} bytes, one a pixel, not ${bytes.length}.`);
  const pixels = isRaw ? Float32Array.from(bytes) : toGrey(bytes);
  const ready = await session();
  const { mean, std } = model.inputs[0].meaning;
  const [best, ...others] = ranked(
    ready,
    model,
    pixels.map((pixel) => (pixel - mean) / std),
  );
  return Response.json({ digit: Number(best.label), score: best.score, others, build: ready.build });
}
