// The readable report of the sparse bench: Markdown, the same on the terminal and in docs/sparse.md.
import { sparseGain } from "../../../dist/tools/pack/sparseCost.js";
import { showBytes, showMs, table } from "../markdown.mjs";
import { ZEROS } from "./layers.mjs";

export const TARGETS = { 0.5: 1.5, 0.75: 2.8, 0.9: 5.5 };

export const find = ({ runs }, kind, bits, zeros) =>
  runs.find((run) => run.kind === kind && run.bits === bits && run.zeros === zeros);
export const dense = (layer) => find(layer, "dense", 8, 0);
export const gain = (layer, bits, zeros) => dense(layer).ms / find(layer, "sparse", bits, zeros).ms;
export const isWinograd = (layer) => dense(layer).kernel.startsWith("winograd");

const percent = (zeros) => `${100 * zeros} %`;

export function renderReport(results) {
  const { date, machine, engines, litert } = results;
  const { cpu, features, cores, system } = machine;
  return `${[
    `- Measured ${date.slice(0, 10)} on ${cpu} (${[...features, `${cores} cores`, system].join(", ")}), one thread; minima of 40 interleaved rounds; every answer checked against the integer reference before it was timed.`,
    ...engines.flatMap((engine) => [speeds(engine), nibbles(engine)]),
    sizes(engines[0]),
    ...(litert ? [peers(litert, engines[0])] : []),
    model(engines),
  ].join("\n\n")}\n`;
}

const heading = ({ build, version }) => `Node ${version}, ${build} build`;

function speeds(engine) {
  const rows = engine.layers.map((layer) => [
    layer.name,
    isWinograd(layer) ? "Winograd" : layer.line === 1 ? "one row" : "tiles",
    (dense(layer).macs / dense(layer).ms / 1e6).toFixed(1),
    showMs(dense(layer).ms),
    ...ZEROS.map((zeros) => mark(gain(layer, 8, zeros), TARGETS[zeros])),
    chosenFrom(layer),
  ]);
  const head = ["layer", "dense by", "GMAC/s", "ms", ...ZEROS.map((zeros) => `${percent(zeros)} zeros`), "sparse from"];
  return `## int8: ${heading(engine)}\n\nTimes as fast as Mote's own dense layer; ✓ meets the aim (1.5 at 50 %, 2.8 at 75 %, 5.5 at 90 %). The last column is the
least of these densities at which \`pack\` lays the layer out sparse.\n\n${table(head, rows)}`;
}

const mark = (times, target) => `${times.toFixed(2)}${target && times >= target ? " ✓" : ""}`;

function chosenFrom(layer) {
  const least = ZEROS.find((zeros) => find(layer, "sparse", 8, zeros).chosen.includes("sparse s8:"));
  return least === undefined ? "never" : percent(least);
}

function nibbles(engine) {
  const rows = engine.layers.map((layer) => [
    layer.name,
    ...ZEROS.map((zeros) => gain(layer, 4, zeros).toFixed(2)),
    ...ZEROS.slice(1).map((zeros) =>
      (find(layer, "sparse", 8, zeros).ms / find(layer, "sparse", 4, zeros).ms).toFixed(2),
    ),
  ]);
  const head = [
    "layer",
    ...ZEROS.map((zeros) => `${percent(zeros)} zeros`),
    ...ZEROS.slice(1).map((zeros) => `over int8, ${percent(zeros)}`),
  ];
  return `## int4: ${heading(engine)}\n\nTimes as fast as the dense int8 layer, and as sparse int8 of the same density.\n\n${table(head, rows)}`;
}

function sizes({ layers }) {
  const rows = layers.map((layer) => {
    const { paramBytes, totalBytes } = dense(layer);
    const part = (bits, zeros) => (find(layer, "sparse", bits, zeros).paramBytes / paramBytes).toFixed(2);
    return [
      layer.name,
      showBytes(paramBytes),
      ...ZEROS.slice(1).map((zeros) => part(8, zeros)),
      part(4, 0.75),
      showBytes(totalBytes),
      showBytes(find(layer, "sparse", 8, 0.75).totalBytes),
    ];
  });
  const head = ["layer", "dense", ...ZEROS.slice(1).map(percent), "int4, 75 %", "memory, dense", "memory, 75 %"];
  return `## Bytes\n\nConstants in the file (biases and multipliers included) as parts of the dense layer's, and the memory of image and arena.\n\n${table(head, rows)}`;
}

function peers({ version, rows }, engine) {
  const body = rows.map(({ name, int8, float, floatPruned }) => {
    const layer = engine.layers.find((each) => each.name === name);
    const times = (zeros) => (int8 / find(layer, zeros === 0 ? "dense" : "sparse", 8, zeros).ms).toFixed(2);
    return [name, showMs(int8), ...ZEROS.map(times), showMs(float), showMs(floatPruned)];
  });
  const head = [
    "layer",
    "LiteRT.js int8, ms",
    ...ZEROS.map((zeros) => `Mote × at ${percent(zeros)}`),
    "float, ms",
    "float, 75 % zeros",
  ];
  return `## Against LiteRT.js ${version}, in the same Node ${engine.version}\n\nOne layer's time there is the difference between 24 and 8 of them in a row, over 16.\n\n${table(head, body)}`;
}

/** What the cost model says, and the lines that fit the times best. */
function model(engines) {
  const rows = engines.flatMap((engine) =>
    fits(engine).map((fit) => [
      `${engine.build}: ${fit.name}`,
      fit.perMac.toFixed(4),
      fit.perOutput.toFixed(2),
      `${Math.round(100 * fit.error)} %`,
    ]),
  );
  const wrong = engines.flatMap(({ build, layers }) =>
    layers.flatMap((layer) =>
      ZEROS.filter(
        (zeros) => find(layer, "sparse", 8, zeros).chosen.includes("sparse s8:") && gain(layer, 8, zeros) < 1,
      ).map((zeros) => `${layer.name} at ${percent(zeros)} on ${build}`),
    ),
  );
  const modest = engines.flatMap(({ layers }) =>
    layers.flatMap((layer) =>
      ZEROS.slice(1).map((zeros) => gain(layer, 8, zeros) / sparseGain(modelled(layer), 1 - zeros, false)),
    ),
  );
  return `## The cost model\n\nNanoseconds of one output of one pixel, by least squares: \`perMac\` for each product, \`perOutput\` for the rest; the mean error of the fit.
The model (tools/pack/sparseCost.ts) takes the machine on which sparse gains least, mostly arm64, so that it says at most what is measured here:
measured over predicted is ${Math.min(...modest).toFixed(2)} … ${Math.max(...modest).toFixed(2)}. Layers that \`pack\` made sparse and that were slower than dense: ${wrong.join(", ") || "none"}.

${table(["kernel", "perMac", "perOutput", "error"], rows)}`;
}

const modelled = (layer) => ({
  line: layer.line,
  macs: macsOf(layer),
  winograd: isWinograd(layer) ? layer.waste : undefined,
  int4: false,
});
const macsOf = (layer) => dense(layer).macs / dense(layer).outputs;
const usedTimes = (line, tile) => (line < tile ? 1 : (Math.ceil(line / tile) * tile) / line);

function fits({ build, layers }) {
  const sparseTile = build === "relaxed" ? 5 : 4;
  const lines = new Map();
  const add = (name, layer, run, density, tile) => {
    const point = [macsOf(layer) * density, (run.ms * 1e6) / run.outputs / usedTimes(layer.line, tile)];
    lines.set(name, [...(lines.get(name) ?? []), point]);
  };
  for (const layer of layers) {
    const rows = layer.line === 1 ? ", one row" : "";
    add(isWinograd(layer) ? "winograd" : `dense${rows}`, layer, dense(layer), 1, isWinograd(layer) ? 1 : 4);
    const int4 = find(layer, "dense", 4, 0);
    if (/ s4\b/.test(int4.kernel)) add(`dense, int4${rows}`, layer, int4, 1, 4);
    for (const zeros of ZEROS) add(`sparse${rows}`, layer, find(layer, "sparse", 8, zeros), 1 - zeros, sparseTile);
  }
  return [...lines].map(([name, points]) => ({ name, ...leastSquares(points) }));
}

/** y = perMac·x + perOutput with the least sum of squared relative errors. */
function leastSquares(points) {
  let [s, sx, sxx, sy, sxy] = [0, 0, 0, 0, 0];
  for (const [x, y] of points) {
    const w = 1 / y ** 2;
    s += w;
    sx += w * x;
    sxx += w * x * x;
    sy += w * y;
    sxy += w * x * y;
  }
  const perMac = (s * sxy - sx * sy) / (s * sxx - sx * sx);
  const perOutput = (sy - perMac * sx) / s;
  const error = points.reduce((sum, [x, y]) => sum + Math.abs((perMac * x + perOutput) / y - 1), 0) / points.length;
  return { perMac, perOutput, error };
}
