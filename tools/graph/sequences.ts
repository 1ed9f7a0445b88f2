// Attributes of the operators for sequences; graph.ts says what these operators take and give.
// Invariant: types only.

/** What the recurrent operators share. */
export interface Recurrent {
  /** with "bidirectional" y holds the forward units, then those of the direction that starts at the end */
  readonly direction: "forward" | "reverse" | "bidirectional";
  /** x and y are [time, batch, …] instead of [batch, time, …] */
  readonly timeMajor: boolean;
}

export interface Heads {
  readonly heads: number;
  readonly keyHeads: number;
  readonly scale: number;
  readonly causal: boolean;
  readonly counted: "first" | "last";
}

export interface SpectrumSettings {
  readonly sampleRate: number;
  /** periodic Hann, or symmetric Hamming; lengths in samples */
  readonly window: "hann" | "hamming";
  readonly windowLength: number;
  readonly hop: number;
  readonly fftLength: number;
  /** samples are divided by the largest of them */
  readonly peak: boolean;
  /** x[i] − preEmphasis · x[i − 1] */
  readonly preEmphasis: number;
  /** bands (triangles on HTK's mel scale, Hz, without bin 0) sum magnitudes, else powers, times powerScale */
  readonly magnitude: boolean;
  readonly powerScale: number;
  readonly bands: number;
  readonly lowest: number;
  readonly highest: number;
  /** logScale · ln(band + floor) */
  readonly floor: number;
  readonly logScale: number;
  /** rows of the DCT-II that follows; 0 for none */
  readonly coefficients: number;
  /** clip(y · scale + offset, low, high), then quantized: towards zero with `truncate`, else to nearest */
  readonly scale: number;
  readonly offset: number;
  readonly low: number;
  readonly high: number;
  readonly truncate: boolean;
}
