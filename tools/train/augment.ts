// Random changes of training samples that keep their meaning. Invariant: what is drawn depends on the generator alone;
// everything outside a picture or sound is 0.

import type { Augment } from "./samples.ts";

export interface ImageChanges {
  /** largest turn either way, in degrees */
  readonly rotate?: number;
  /** largest share by which width and height change, each for itself */
  readonly stretch?: number;
  /** largest slant: columns moved by so much of their height */
  readonly slant?: number;
  /** largest shift either way, in pixels */
  readonly shift?: number;
  /** mirrored left to right half of the time */
  readonly mirror?: boolean;
  /** standard deviation of noise added to each value */
  readonly noise?: number;
}

/** Turns, stretches, slants and shifts pictures [H, W, C], with bilinear interpolation. */
export function imageAugment({
  rotate = 0,
  stretch = 0,
  slant = 0,
  shift = 0,
  mirror = false,
  noise = 0,
}: ImageChanges): Augment {
  return (from, to, shape, random) => {
    const [height, width, channels] = shape as [number, number, number];
    const angle = (random.between(-rotate, rotate) * Math.PI) / 180;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const scaleX = 1 + random.between(-stretch, stretch);
    const scaleY = 1 + random.between(-stretch, stretch);
    const lean = random.between(-slant, slant);
    const [moveX, moveY] = [random.between(-shift, shift), random.between(-shift, shift)];
    const flip = mirror && random.uniform() < 0.5 ? -1 : 1;
    const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const dx = (x - middleX - moveX) * flip;
        const dy = y - middleY - moveY;
        const sourceX = (cos * dx + sin * dy) * scaleX + lean * dy + middleX;
        const sourceY = (cos * dy - sin * dx) * scaleY + middleY;
        const [left, top] = [Math.floor(sourceX), Math.floor(sourceY)];
        if (left < -1 || top < -1 || left >= width || top >= height) continue;
        const [fx, fy] = [sourceX - left, sourceY - top];
        for (let c = 0; c < channels; c++) {
          const at = (row: number, column: number): number =>
            row < 0 || column < 0 || row >= height || column >= width
              ? 0
              : from[(row * width + column) * channels + c]!;
          const above = at(top, left) * (1 - fx) + at(top, left + 1) * fx;
          const below = at(top + 1, left) * (1 - fx) + at(top + 1, left + 1) * fx;
          to[(y * width + x) * channels + c] = above * (1 - fy) + below * fy;
        }
      }
    }
    if (noise > 0) for (let i = 0; i < to.length; i++) to[i]! += noise * random.normal();
  };
}

export interface SequenceChanges {
  /** largest shift in time either way, in steps */
  readonly shift?: number;
  /** largest share by which values are scaled */
  readonly gain?: number;
  readonly noise?: number;
  /** longest run of steps that is blanked */
  readonly maskSteps?: number;
  /** widest band of features that is blanked (Park et al., 2019) */
  readonly maskFeatures?: number;
  /** what blanked and shifted-in values are */
  readonly fill?: number;
}

/** Shifts, scales, blanks and blurs sequences [T, C]: sounds and spectra. */
export function sequenceAugment({
  shift = 0,
  gain = 0,
  noise = 0,
  maskSteps = 0,
  maskFeatures = 0,
  fill = 0,
}: SequenceChanges): Augment {
  return (from, to, shape, random) => {
    const [steps, features] = shape as [number, number];
    const move = random.below(2 * shift + 1) - shift;
    const factor = 1 + random.between(-gain, gain);
    const blankSteps = random.below(maskSteps + 1);
    const firstStep = random.below(Math.max(1, steps - blankSteps + 1));
    const blankFeatures = random.below(maskFeatures + 1);
    const firstFeature = random.below(Math.max(1, features - blankFeatures + 1));
    for (let t = 0; t < steps; t++) {
      const source = t - move;
      const isBlank = source < 0 || source >= steps || (t >= firstStep && t < firstStep + blankSteps);
      for (let c = 0; c < features; c++) {
        const masked = isBlank || (c >= firstFeature && c < firstFeature + blankFeatures);
        const value = masked ? fill : from[source * features + c]! * factor;
        to[t * features + c] = noise > 0 ? value + noise * random.normal() : value;
      }
    }
  };
}
