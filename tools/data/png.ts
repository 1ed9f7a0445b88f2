// PNG → picture: every colour type and depth, over black where it is transparent. The decoding itself is
// fast-png's. Invariant: any bytes give a picture or ToolError BAD_FILE, and no more memory than MAX_PIXELS needs.

import { type DecodedPng, decode } from "fast-png";
import { ToolError } from "../errors.ts";
import { MAX_PIXELS, type Picture } from "./image.ts";

/** Offsets into the IHDR chunk, which is always first. */
const WIDTH_AT = 16;
const HEIGHT_AT = 20;
const COLOUR_AT = 25;
const INDEXED = 3;

function decodePng(bytes: Uint8Array, name: string): DecodedPng {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = bytes.length <= COLOUR_AT ? [0, 0] : [view.getUint32(WIDTH_AT), view.getUint32(HEIGHT_AT)];
  if (width * height === 0 || width * height > MAX_PIXELS) {
    throw new ToolError(
      "BAD_FILE",
      `${name} must be a PNG of 1 to ${MAX_PIXELS} pixels, got ${width} × ${height}; make it smaller.`,
    );
  }
  try {
    return decode(bytes, { checkCrc: true });
  } catch (cause) {
    throw new ToolError("BAD_FILE", `${name} is a damaged PNG (${reason(cause)}); save it again.`, { cause });
  }
}

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** One number a sample: rows of less than 8 bits a sample are packed, and padded to whole bytes. */
function unpack({ data, width, height, channels, depth }: DecodedPng): ArrayLike<number> {
  if (depth >= 8) return data;
  const rowBytes = Math.ceil((width * channels * depth) / 8);
  const perRow = width * channels;
  const mask = 2 ** depth - 1;
  return Uint8Array.from({ length: perRow * height }, (_, i) => {
    const bit = (i % perRow) * depth;
    return (data[Math.floor(i / perRow) * rowBytes + (bit >> 3)]! >> (8 - depth - (bit & 7))) & mask;
  });
}

export function readPng(bytes: Uint8Array, name: string): Picture {
  const png = decodePng(bytes, name);
  const { width, height, transparency } = png;
  // a palette of a truecolour picture is only a hint
  const palette = bytes[COLOUR_AT] === INDEXED ? (png.palette ?? []) : undefined;
  const samples = unpack(png);
  const top = 2 ** png.depth - 1;
  const hasAlpha = png.channels === 2 || png.channels === 4;
  const channels = palette || png.channels > 2 ? 3 : 1;
  const picture = { width, height, channels, samples: new Float32Array(width * height * channels) } as const;
  for (let i = 0; i < width * height; i++) {
    const at = i * png.channels;
    const entry = palette?.[samples[at]!];
    if (palette && !entry) {
      throw new ToolError("BAD_FILE", `${name} is a damaged PNG (pixel ${i} is not in the palette); save it again.`);
    }
    // one colour may be declared transparent instead of an alpha channel
    const keyed = !palette && transparency?.every((sample, channel) => samples[at + channel] === sample);
    const alpha = entry ? (entry[3] ?? 255) / 255 : keyed ? 0 : hasAlpha ? samples[at + png.channels - 1]! / top : 1;
    for (let channel = 0; channel < channels; channel++) {
      picture.samples[i * channels + channel] = entry
        ? entry[channel]! * alpha
        : ((samples[at + channel]! * 255) / top) * alpha;
    }
  }
  return picture;
}
