// JPEG → picture, upright as its camera held it. The decoding itself is jpeg-js's.
// Invariant: any bytes give a picture or ToolError BAD_FILE, and no more memory than MAX_PIXELS needs.

import { decode } from "jpeg-js";
import { ToolError } from "../errors.ts";
import { MAX_PIXELS, type Picture } from "./image.ts";

export function readJpeg(bytes: Uint8Array, name: string): Picture {
  try {
    const { width, height, data } = decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      maxResolutionInMP: MAX_PIXELS / 1e6,
      maxMemoryUsageInMB: 2048,
    });
    return { width, height, channels: 3, samples: Float64Array.from(data) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ToolError("BAD_FILE", `${name} is a damaged JPEG (${reason}); save it again.`, { cause });
  }
}
