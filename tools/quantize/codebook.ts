// Sixteen values for all weights of a layer, by Lloyd's k-means on the weights as parts of their channel's largest.
// Source: Han, Mao & Dally, "Deep Compression", 2016, section 3. Each part counts by its channel's squared scale, so that
// the error that is made small is that of the real weights. Starts from equally filled intervals: no chance in it.
// Invariant: sorted, at most 16 different integers of at most `most` in magnitude.

const ENTRIES = 16;
const ROUNDS = 40;

/** `parts` in −1 … 1 with their counts; the values stand for parts · most. */
export function codebook(parts: Float64Array, counts: Float64Array, most: number): Int8Array {
  const order = Float64Array.from(parts.keys()).sort((a, b) => parts[a]! - parts[b]!);
  const sorted = Float64Array.from(order, (i) => parts[i]!);
  // running sums of counts and counted parts: any interval's mean is a difference of two
  const weight = new Float64Array(sorted.length + 1);
  const moment = new Float64Array(sorted.length + 1);
  for (let i = 0; i < sorted.length; i++) {
    const count = counts[order[i]!]!;
    weight[i + 1] = weight[i]! + count;
    moment[i + 1] = moment[i]! + count * sorted[i]!;
  }
  const below = (bound: number): number => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < bound) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  let centres = Array.from({ length: ENTRIES }, (_, i) => sorted[Math.floor(((i + 0.5) * sorted.length) / ENTRIES)]!);
  for (let round = 0; round < ROUNDS; round++) {
    const cuts = centres.slice(1).map((centre, i) => below((centre + centres[i]!) / 2));
    const starts = [0, ...cuts];
    const ends = [...cuts, sorted.length];
    centres = centres.map((centre, i) => {
      const mass = weight[ends[i]!]! - weight[starts[i]!]!;
      return mass > 0 ? (moment[ends[i]!]! - moment[starts[i]!]!) / mass : centre;
    });
  }
  return Int8Array.from(new Set(centres.map((centre) => Math.round(centre * most) || 0)));
}

/** The entry nearest to `value`, the lower of two. */
export function nearest(entries: Int8Array, value: number): number {
  return entries.reduce((best, entry) => (Math.abs(entry - value) < Math.abs(best - value) ? entry : best));
}
