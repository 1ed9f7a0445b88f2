// From raw rounds to what the tables say: minima, medians, MACs per nanosecond and ratios.

export function summarize({ entries, models, peaks }) {
  const macsOf = Object.fromEntries(models.map(({ name, macs }) => [name, macs]));
  const rows = entries.map(({ rounds, ...entry }) => {
    const good = rounds.filter(({ error }) => !error);
    if (good.length === 0) return { ...entry, error: rounds.at(-1).error };
    const minMs = Math.min(...good.map((round) => round.minMs));
    return {
      ...entry,
      minMs,
      // how far the rounds' minima are apart: more than a little, and the number is a guess
      spread: Math.max(...good.map((round) => round.minMs)) / minMs - 1,
      medianMs: median(good.map((round) => round.medianMs)),
      coldMs: Math.min(...good.map((round) => round.coldMs)),
      coldMedianMs: median(good.map((round) => round.coldMs)),
      macsPerNs: macsOf[entry.model] / minMs / 1e6,
      memory: Object.fromEntries(
        Object.keys(good[0].memory).map((key) => [key, Math.min(...good.map(({ memory }) => memory[key]))]),
      ),
      maxDiff: Math.max(...good.map(({ answer }) => answer.maxDiff ?? 0)),
    };
  });
  const dotPeak = Math.max(...peaks.map(({ dot }) => dot));
  const relaxedPeak = Math.max(0, ...peaks.map(({ relaxed }) => relaxed ?? 0)) || null;
  return { rows, dotPeak, relaxedPeak, ratios: ratiosOf(rows) };
}

/** What Mote is compared with: the fastest of the rows that a test lets through. */
const OPPONENTS = {
  "best peer": ({ peer }) => peer !== "mote" && peer !== "native",
  "LiteRT.js int8": ({ peer, variant }) => peer === "litert" && variant === "int8",
  "LiteRT.js fp32": ({ peer, variant }) => peer === "litert" && variant === "fp32",
  "ORT-web int8": ({ peer, variant }) => peer === "ort" && variant === "int8",
  "ORT-web fp32": ({ peer, variant }) => peer === "ort" && variant === "fp32",
  "tfjs-wasm fp32": ({ peer }) => peer === "tfjs",
  "native XNNPACK int8": ({ peer, variant }) => peer === "native" && variant === "xnnpack",
  "native ORT int8": ({ peer, variant }) => peer === "native" && variant === "ort",
};

/** How many times faster than each opponent the build is that the host chose, by engine and model. */
function ratiosOf(rows) {
  const ratios = [];
  const timed = rows.filter(({ minMs }) => minMs !== undefined);
  for (const mote of timed.filter(({ peer, variant }) => peer === "mote" && variant === "auto"))
    for (const [opponent, isOne] of Object.entries(OPPONENTS)) {
      const others = timed.filter(
        (row) => row.model === mote.model && (row.engine === mote.engine || row.engine === "native") && isOne(row),
      );
      if (others.length === 0) continue;
      const best = others.reduce((a, b) => (b.minMs < a.minMs ? b : a));
      ratios.push({
        engine: mote.engine,
        model: mote.model,
        opponent,
        label: best.label,
        ratio: best.minMs / mote.minMs,
        medianRatio: best.medianMs / mote.medianMs,
      });
    }
  return ratios;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

export const geometricMean = (values) => Math.exp(values.reduce((sum, v) => sum + Math.log(v), 0) / values.length);
