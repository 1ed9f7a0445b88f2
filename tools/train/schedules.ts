// Learning rates over time. Invariant: a rate depends on the step, the number of steps and (plateau only) on a state
// that the checkpoint keeps, so a resumed run sees the same rates.

export interface Schedule {
  readonly name: string;
  /** `step` counts from 0 up to `total` − 1; `reductions` is how often `observe` asked for a reduction */
  rate(step: number, total: number, reductions: number): number;
  /** epochs without a better validation loss after which the rate is reduced */
  readonly patience?: number;
}

export const constant = (rate: number): Schedule => ({ name: "constant", rate: () => rate });

/** `factor` times as much after each `1/drops` of the run. */
export const step = (rate: number, { drops = 3, factor = 0.1 } = {}): Schedule => ({
  name: "step",
  rate: (at, total) => rate * factor ** Math.floor((at * drops) / total),
});

/** From `rate` to `rate · last`, geometrically. */
export const exponential = (rate: number, { last = 0.01 } = {}): Schedule => ({
  name: "exponential",
  rate: (at, total) => rate * last ** (at / total),
});

/** Half a cosine from `rate` to `rate · last` (Loshchilov & Hutter, 2017). */
export const cosine = (rate: number, { last = 0 } = {}): Schedule => ({
  name: "cosine",
  rate: (at, total) => rate * (last + ((1 - last) * (1 + Math.cos((Math.PI * at) / total))) / 2),
});

/** Up to `rate` over the first `rise` of the run, then down to a ten-thousandth, both by cosine (Smith, 2018). */
export const oneCycle = (rate: number, { rise = 0.3, first = 1 / 25, last = 1e-4 } = {}): Schedule => ({
  name: "oneCycle",
  rate(at, total) {
    const position = at / total;
    const up = position < rise;
    const share = up ? position / rise : (position - rise) / (1 - rise);
    const [from, to] = up ? [rate * first, rate] : [rate, rate * last];
    return to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
  },
});

/** `factor` times as much whenever the validation loss has not improved for `patience` epochs. */
export const plateau = (rate: number, { patience = 3, factor = 0.5 } = {}): Schedule => ({
  name: "plateau",
  patience,
  rate: (_at, _total, reductions) => rate * factor ** reductions,
});

/** Linear from 0 over the first `steps`, then as `after`. */
export const warmUp = (steps: number, after: Schedule): Schedule => ({
  ...after,
  name: `warmUp+${after.name}`,
  rate: (at, total, reductions) => after.rate(at, total, reductions) * Math.min(1, (at + 1) / steps),
});
