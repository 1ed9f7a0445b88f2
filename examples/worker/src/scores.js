// A session's first output as probabilities by label, best first.

/** @returns {{ label: string, score: number }[]} */
export function ranked(session, model, inputs) {
  const [port] = model.outputs;
  const output = session.run(inputs)[port.name];
  const { scale = 1, zeroPoint = 0, labels, dtype } = port;
  return Array.from(output, (value, i) => ({
    label: labels?.[i] ?? `${i}`,
    score: dtype === "float32" ? value : scale * (value - zeroPoint),
  })).sort((a, b) => b.score - a.score);
}
