// spectrum: every build equals the reference over windows, transforms and bands; and it is the transform it says it is.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Attributes } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { BUILDS, expectConformance } from "../support/conformance.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { expectContained } from "../support/hostileSteps.ts";
import { Random } from "../support/random.ts";

const plain: Attributes["spectrum"] = {
  sampleRate: 16000,
  window: "hann",
  windowLength: 20,
  hop: 7,
  fftLength: 32,
  peak: true,
  preEmphasis: 0.97,
  magnitude: true,
  powerScale: 1,
  bands: 6,
  lowest: 20,
  highest: 7000,
  floor: 1e-6,
  logScale: 1,
  coefficients: 3,
  scale: 1,
  offset: 0,
  low: -Infinity,
  high: Infinity,
  truncate: true,
};

function graphOf(attrs: Attributes["spectrum"], samples: number, wide: boolean, seed: number) {
  const random = new Random(seed);
  const frames = Math.floor((samples - attrs.windowLength) / attrs.hop) + 1;
  const graph = singleNode(
    { op: "spectrum", attrs },
    [{ name: "x", shape: [1, samples], dtype: wide ? "int16" : "float32" }],
    [activation("y", [frames, attrs.coefficients || attrs.bands], random.real(0.05, 0.5), random.integer(-50, 50))],
  );
  const x = Float32Array.from({ length: samples }, () => random.real(-1, 1));
  return { graph, x: wide ? Int16Array.from(x, (value) => value * 32767) : x };
}

describe("spectrum", () => {
  it("equals the reference on every build", () => {
    const c = fc.record({
      bits: fc.integer({ min: 2, max: 9 }),
      part: fc.double({ min: 0.2, max: 1, noNaN: true }),
      hop: fc.integer({ min: 1, max: 60 }),
      more: fc.integer({ min: 0, max: 200 }),
      bands: fc.integer({ min: 1, max: 20 }),
      flags: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()),
      emphasis: fc.constantFrom(0, 0.97),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(c, ({ bits, part, hop, more, bands, flags, emphasis, seed }) => {
        const [peak, magnitude, truncate, matrix, wide] = flags;
        const windowLength = Math.max(2, Math.ceil(2 ** bits * part));
        const coefficients = matrix ? Math.ceil(bands / 2) : 0;
        const window = peak ? ("hann" as const) : ("hamming" as const);
        const attrs = {
          ...plain,
          window,
          windowLength,
          hop,
          fftLength: 2 ** bits,
          bands,
          coefficients,
          preEmphasis: emphasis,
        };
        const { graph, x } = graphOf({ ...attrs, peak, magnitude, truncate }, windowLength + more, wide, seed);
        expectConformance(graph, [x]);
      }),
      { numRuns: 100, seed: 65 },
    );
  });

  it("takes silence and what is no number", () => {
    const { graph, x } = graphOf(plain, 40, false, 1);
    expectConformance(graph, [x.fill(0)]);
    expectConformance(graph, [x.fill(Number.NaN)]);
    expectConformance(graph, [x.fill(-Infinity)]);
  });

  it("sums |FFT| in triangles on the mel scale", () => {
    const attrs = {
      ...plain,
      peak: false,
      preEmphasis: 0,
      coefficients: 0,
      truncate: false,
      fftLength: 64,
      windowLength: 50,
    };
    const { graph, x } = graphOf(attrs, 50, false, 2);
    const { scale, zeroPoint } = graph.tensors[1]!.quant!;
    const [y] = expectConformance(graph, [x]);
    const mel = (hertz: number): number => 1127 * Math.log(1 + hertz / 700);
    const size = Array.from({ length: 33 }, (_, k) => {
      let [re, im] = [0, 0];
      for (let i = 0; i < 50; i++) {
        const v = x[i]! * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / 50));
        re += v * Math.cos((2 * Math.PI * i * k) / 64);
        im -= v * Math.sin((2 * Math.PI * i * k) / 64);
      }
      return Math.hypot(re, im);
    });
    for (let b = 0; b < attrs.bands; b++) {
      const edge = (i: number): number => mel(20) + ((mel(7000) - mel(20)) * (b + i)) / (attrs.bands + 1);
      let sum = 0;
      for (let k = 1; k <= 32; k++) {
        const m = mel((k * 16000) / 64);
        sum +=
          size[k]! * Math.max(0, Math.min((m - edge(0)) / (edge(1) - edge(0)), (edge(2) - m) / (edge(2) - edge(1))));
      }
      const q = Math.log(sum + 1e-6) / scale[0]! + zeroPoint[0]!;
      expect(Math.abs(Number(y![b]) - Math.max(-128, Math.min(127, q)))).toBeLessThan(0.501);
    }
  });

  it("stays inside the arena or is refused when its step is hostile", () => {
    for (const build of BUILDS) {
      const accepted = expectContained(build, graphOf(plain, 40, true, 3).graph, 3000, 42);
      expect(accepted).toBeGreaterThan(40);
      expect(accepted).toBeLessThan(2900);
    }
  });

  it("refuses windows and bands that do not fit", () => {
    const refused = (change: Partial<Attributes["spectrum"]>) => () =>
      validateGraph(graphOf({ ...plain, ...change }, 40, false, 1).graph);
    expect(refused({ fftLength: 48 })).toThrow(/must be a power of two/);
    expect(refused({ windowLength: 33 })).toThrow(/no shorter than the window/);
    expect(refused({ highest: 9000 })).toThrow(/do not fit 16000 samples a second/);
  });
});
