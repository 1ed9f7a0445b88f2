// JPEG → picture, upright as its camera held it. The decoding itself is jpeg-js's.
// Invariant: any bytes give a picture or ToolError BAD_FILE, and no more memory than MAX_PIXELS needs.

import { decode } from "jpeg-js";
import { ToolError } from "../errors.ts";
import { MAX_PIXELS, type Picture, upright } from "./image.ts";

const ORIENTATION_TAG = 0x112;
const ENTRY_BYTES = 12;

/** The orientation that EXIF's first directory tells, 1 (upright) where it tells none. */
function orientationOf(exif: Uint8Array): number {
  // a zero pads "Exif\0", then comes a TIFF header: byte order, 42, offset of the first directory
  const view = new DataView(exif.buffer, exif.byteOffset + 1, Math.max(exif.length - 1, 0));
  const little = view.byteLength > 1 && view.getUint16(0) === 0x4949;
  const entries = view.byteLength >= 8 ? view.getUint32(4, little) : Infinity;
  const count = entries + 2 <= view.byteLength ? view.getUint16(entries, little) : 0;
  for (let i = 0; i < count; i++) {
    const at = entries + 2 + i * ENTRY_BYTES;
    if (at + ENTRY_BYTES > view.byteLength) break;
    if (view.getUint16(at, little) === ORIENTATION_TAG) return view.getUint16(at + 8, little);
  }
  return 1;
}

export function readJpeg(bytes: Uint8Array, name: string): Picture {
  try {
    const decoded = decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      maxResolutionInMP: MAX_PIXELS / 1e6,
      maxMemoryUsageInMB: 1024,
    });
    const { width, height, data } = decoded;
    // given, though its declarations do not say so
    const exif = "exifBuffer" in decoded && decoded.exifBuffer instanceof Uint8Array ? decoded.exifBuffer : undefined;
    if (width * height === 0) throw new Error("it has no pixels");
    const picture: Picture = { width, height, channels: 3, samples: Float32Array.from(data) };
    return exif?.length ? upright(picture, orientationOf(exif)) : picture;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ToolError("BAD_FILE", `${name} is a damaged JPEG (${reason}); save it again.`, { cause });
  }
}
