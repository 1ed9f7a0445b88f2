// A decoded picture and what makes it fit an input: upright, grey or colour, the input's height and width.
// Invariant: only + − × ÷ in a fixed order, each result rounded to float32, so the same file gives the same
// pixels everywhere.

/** Row-major samples in 0 … 255, grey (1 channel) or RGB (3), nothing transparent. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly samples: Float32Array;
}

/** More pixels than this are refused before anything is decoded: 64 megapixels. */
export const MAX_PIXELS = 2 ** 26;

/** BT.601 luma for colour → grey; the same value thrice for grey → colour. */
export function withChannels(picture: Picture, channels: 1 | 3): Picture {
  if (picture.channels === channels) return picture;
  const { width, height, samples } = picture;
  const converted = new Float32Array(width * height * channels);
  for (let i = 0; i < width * height; i++) {
    if (channels === 1) {
      converted[i] = 0.299 * samples[i * 3]! + 0.587 * samples[i * 3 + 1]! + 0.114 * samples[i * 3 + 2]!;
    } else converted.fill(samples[i]!, i * 3, i * 3 + 3);
  }
  return { width, height, channels, samples: converted };
}

/** What one target cell takes from the source: `weights[k]` of cell `first + k`. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

/** Shrinking averages the area under the target cell; enlarging interpolates between cell centres. */
function tapsOf(source: number, target: number): Taps[] {
  const ratio = source / target;
  return Array.from({ length: target }, (_, i): Taps => {
    if (target >= source) {
      const centre = Math.min(Math.max((i + 0.5) * ratio - 0.5, 0), source - 1);
      const first = Math.min(Math.floor(centre), Math.max(source - 2, 0));
      return { first, weights: source === 1 ? [1] : [1 - (centre - first), centre - first] };
    }
    const [from, to] = [i * ratio, Math.min((i + 1) * ratio, source)];
    const first = Math.floor(from);
    const weights: number[] = [];
    for (let at = first; at < to; at++) weights.push((Math.min(at + 1, to) - Math.max(at, from)) / (to - from));
    return { first, weights };
  });
}

/** Resizes the middle axis of [before, source, after] samples. */
function resizeAxis(samples: Float32Array, before: number, source: number, target: number, after: number) {
  if (source === target) return samples;
  const resized = new Float32Array(before * target * after);
  const taps = tapsOf(source, target);
  for (let outer = 0; outer < before; outer++) {
    for (const [i, { first, weights }] of taps.entries()) {
      const to = (outer * target + i) * after;
      for (const [k, weight] of weights.entries()) {
        const from = (outer * source + first + k) * after;
        for (let inner = 0; inner < after; inner++) resized[to + inner]! += weight * samples[from + inner]!;
      }
    }
  }
  return resized;
}

/** Stretches the picture to `width` × `height`. */
export function resize(picture: Picture, width: number, height: number): Picture {
  const { channels, samples } = picture;
  const rows = resizeAxis(samples, 1, picture.height, height, picture.width * channels);
  return { width, height, channels, samples: resizeAxis(rows, height, picture.width, width, channels) };
}

/**
 * Turns a picture that was stored in one of EXIF's eight orientations upright; any other number is no
 * orientation, and changes nothing.
 */
export function upright(picture: Picture, orientation: number): Picture {
  const { width, height, channels, samples } = picture;
  const swap = [5, 6, 7, 8].includes(orientation);
  const mirrorX = [2, 3, 7, 8].includes(orientation);
  const mirrorY = [3, 4, 6, 7].includes(orientation);
  if (!swap && !mirrorX && !mirrorY) return picture;
  const turned = new Float32Array(samples.length);
  const [newWidth, newHeight] = swap ? [height, width] : [width, height];
  for (let y = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++) {
      const [column, row] = swap ? [y, x] : [x, y];
      const fromX = mirrorX ? width - 1 - column : column;
      const fromY = mirrorY ? height - 1 - row : row;
      const [from, to] = [(fromY * width + fromX) * channels, (y * newWidth + x) * channels];
      for (let channel = 0; channel < channels; channel++) turned[to + channel] = samples[from + channel]!;
    }
  }
  return { width: newWidth, height: newHeight, channels, samples: turned };
}
