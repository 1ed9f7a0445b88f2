// One second of sound → the 49 × 10 MFCC that the MLPerf Tiny keyword model takes: 30 ms periodic Hann windows every
// 20 ms, 512-point FFT, 40 HTK mel bands of 20 … 4,000 Hz, log, DCT-II, the first ten. Plain JavaScript without imports.

export const SAMPLE_RATE = 16_000;
const [SAMPLES, WINDOW, HOP, SIZE, BANDS, KEPT] = [16_000, 480, 320, 512, 40, 10];
export const FRAMES = 1 + Math.floor((SAMPLES - WINDOW) / HOP);

const mel = (hertz) => 1127 * Math.log1p(hertz / 700);
const hann = Float64Array.from({ length: WINDOW }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW));
const twiddles = Float64Array.from({ length: SIZE }, (_, i) =>
  i % 2 ? -Math.sin((Math.PI * (i - 1)) / SIZE) : Math.cos((Math.PI * i) / SIZE),
);
const reversed = Uint16Array.from({ length: SIZE }, (_, i) => {
  let bits = 0;
  for (let bit = 1; bit < SIZE; bit *= 2) bits = bits * 2 + (i & bit ? 1 : 0);
  return bits;
});
/** weights[band · 257 + bin]: triangles on the mel scale; the bin of 0 Hz has none. */
const weights = (() => {
  const edges = Float64Array.from({ length: BANDS + 2 }, (_, i) => {
    return mel(20) + ((mel(4000) - mel(20)) * i) / (BANDS + 1);
  });
  const table = new Float64Array(BANDS * (SIZE / 2 + 1));
  for (let band = 0; band < BANDS; band++)
    for (let bin = 1; bin <= SIZE / 2; bin++) {
      const at = mel((bin * SAMPLE_RATE) / SIZE);
      const up = (at - edges[band]) / (edges[band + 1] - edges[band]);
      const down = (edges[band + 2] - at) / (edges[band + 2] - edges[band + 1]);
      table[band * (SIZE / 2 + 1) + bin] = Math.max(0, Math.min(up, down));
    }
  return table;
})();
const cosines = Float64Array.from({ length: KEPT * BANDS }, (_, i) => {
  const [row, band] = [Math.floor(i / BANDS), i % BANDS];
  return (Math.cos((Math.PI * row * (band + 0.5)) / BANDS) / Math.sqrt(2 * BANDS)) * 2;
});

/** In-place radix-2 FFT of interleaved re, im; the input is in bit-reversed order. */
function transform(data) {
  for (let half = 1; half < SIZE; half *= 2)
    for (let start = 0; start < SIZE; start += 2 * half)
      for (let k = 0; k < half; k++) {
        const [a, b, t] = [2 * (start + k), 2 * (start + k + half), k * (SIZE / half)];
        const re = data[b] * twiddles[t] - data[b + 1] * twiddles[t + 1];
        const im = data[b] * twiddles[t + 1] + data[b + 1] * twiddles[t];
        data[b] = data[a] - re;
        data[b + 1] = data[a + 1] - im;
        data[a] += re;
        data[a + 1] += im;
      }
}

/**
 * @param samples mono at 16 kHz in any scale: they are divided by their maximum, then cut or filled up to one second
 * @returns Float32Array of 49 frames × 10 coefficients
 */
export function mfcc(samples) {
  const used = Math.min(samples.length, SAMPLES);
  let peak = 0;
  for (let i = 0; i < samples.length; i++) peak = Math.max(peak, samples[i]);
  const scale = peak > 0 ? 1 / peak : 1;
  const features = new Float32Array(FRAMES * KEPT);
  const data = new Float64Array(2 * SIZE);
  const logs = new Float64Array(BANDS);
  for (let frame = 0; frame < FRAMES; frame++) {
    data.fill(0);
    for (let i = 0; i < WINDOW; i++)
      data[2 * reversed[i]] = hann[i] * scale * (frame * HOP + i < used ? samples[frame * HOP + i] : 0);
    transform(data);
    logs.fill(0);
    for (let bin = 1; bin <= SIZE / 2; bin++) {
      const magnitude = Math.hypot(data[2 * bin], data[2 * bin + 1]);
      for (let band = 0; band < BANDS; band++) logs[band] += magnitude * weights[band * (SIZE / 2 + 1) + bin];
    }
    for (let band = 0; band < BANDS; band++) logs[band] = Math.log(logs[band] + 1e-6);
    for (let row = 0; row < KEPT; row++) {
      let sum = 0;
      for (let band = 0; band < BANDS; band++) sum += cosines[row * BANDS + band] * logs[band];
      features[frame * KEPT + row] = sum;
    }
  }
  return features;
}
