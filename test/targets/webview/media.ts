// What a fake microphone and a fake camera of Chromium show: a WAV and a raw video made of a picture.
import { readFileSync } from "node:fs";

/** The sound followed by as much silence, so that every word is now and then whole in a window of a second. */
export function withSilence(path: string): Uint8Array {
  const wav = readFileSync(path);
  const file = new Uint8Array(wav.length + wav.length - 44);
  file.set(wav);
  const view = new DataView(file.buffer);
  view.setUint32(4, file.length - 8, true);
  view.setUint32(40, file.length - 44, true);
  return file;
}

/** A 24-bit BMP as a YUV4MPEG2 video of one picture, its middle square filling the height of 480 × 480. */
export function asVideo(path: string): Uint8Array {
  const bmp = readFileSync(path);
  const [start, width, signed] = [bmp.readUInt32LE(10), bmp.readInt32LE(18), bmp.readInt32LE(22)];
  const [height, bytes] = [Math.abs(signed), bmp.readUInt16LE(28) / 8];
  const stride = Math.ceil((width * bytes) / 4) * 4;
  const [side, size] = [Math.min(width, height), 480];
  const pixel = (x: number, y: number): [number, number, number] => {
    const column = Math.floor((width - side) / 2 + (x * side) / size);
    const row = Math.floor((height - side) / 2 + (y * side) / size);
    const at = start + (signed > 0 ? height - 1 - row : row) * stride + column * bytes;
    // a grey picture has a palette from black to white
    return bytes === 1 ? [bmp[at]!, bmp[at]!, bmp[at]!] : [bmp[at + 2]!, bmp[at + 1]!, bmp[at]!];
  };
  const frame = new Uint8Array((size * size * 3) / 2);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const [r, g, b] = pixel(x, y);
      frame[y * size + x] = 16 + 0.257 * r + 0.504 * g + 0.098 * b;
      if (x % 2 || y % 2) continue;
      const at = size * size + (y / 2) * (size / 2) + x / 2;
      frame[at] = 128 - 0.148 * r - 0.291 * g + 0.439 * b;
      frame[at + (size * size) / 4] = 128 + 0.439 * r - 0.368 * g - 0.071 * b;
    }
  const head = Buffer.from(`YUV4MPEG2 W${size} H${size} F30:1 Ip A1:1 C420jpeg\n`);
  const mark = Buffer.from("FRAME\n");
  return Buffer.concat([head, mark, frame, mark, frame]);
}
