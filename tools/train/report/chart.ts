// Charts as SVG text, without a library: lines, histograms, and matrices of cells. Invariant: numbers are rounded
// to three decimals, so the same data gives the same text; every text is escaped.

export const escapeText = (text: string): string =>
  text.replace(/[&<>"]/g, (unit) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[unit]!);

const WIDTH = 520;
const HEIGHT = 220;
const LEFT = 52;
const BOTTOM = 30;
const TOP = 12;
const RIGHT = 12;
const COLOURS = ["#2563a8", "#c2571a", "#3b8452", "#8b5aa8", "#a83252", "#5f6b1f", "#1b8a8f", "#7a5a3a", "#444444"];

const round = (value: number): number => Math.round(value * 1000) / 1000;

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LineChart {
  readonly title: string;
  readonly x: string;
  readonly lines: readonly Line[];
  readonly logarithmic?: boolean;
}

/** 1, 2 or 5 times a power of ten. */
function ticks(low: number, high: number, wanted: number): number[] {
  const raw = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw)!;
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}

/** Logarithms of 1, 2 and 5 times powers of ten, or of the powers alone where there are many. */
function logTicks(low: number, high: number): number[] {
  const factors = high - low > 3 ? [1] : [1, 2, 5];
  const powers = Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (_, i) => Math.floor(low) + i);
  return powers
    .flatMap((power) => factors.map((factor) => power + Math.log10(factor)))
    .filter((at) => at >= low && at <= high);
}

function label(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e5 || size < 1e-3 ? value.toExponential(0) : String(Number(value.toPrecision(3)));
}

/** Lines over one x axis, with a legend. */
export function lineChart({ title, x, lines, logarithmic = false }: LineChart): string {
  const finite = lines.map(({ name, points }) => ({
    name,
    points: points.filter(([, y]) => Number.isFinite(y) && (!logarithmic || y > 0)),
  }));
  const all = finite.flatMap(({ points }) => points);
  if (all.length === 0) return "";
  const scaleY = (y: number): number => (logarithmic ? Math.log10(y) : y);
  const xs = all.map(([at]) => at);
  const ys = all.map(([, y]) => scaleY(y));
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  let [low, high] = [Math.min(...ys), Math.max(...ys)];
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const px = (at: number): number => round(LEFT + ((at - left) / (right - left || 1)) * (WIDTH - LEFT - RIGHT));
  const py = (y: number): number => round(HEIGHT - BOTTOM - ((y - low) / (high - low)) * (HEIGHT - BOTTOM - TOP));
  const grid = (logarithmic ? logTicks(low, high) : ticks(low, high, 5)).map((y) => {
    const text = logarithmic ? label(10 ** y) : label(y);
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${py(y)}" y2="${py(y)}" class="grid"/><text x="${LEFT - 6}" y="${py(y) + 4}" class="end">${text}</text>`;
  });
  const marks = ticks(left, right, 8).map(
    (at) => `<text x="${px(at)}" y="${HEIGHT - 12}" class="middle">${label(at)}</text>`,
  );
  const paths = finite.map(({ points }, i) =>
    points.length === 1
      ? `<circle cx="${px(points[0]![0])}" cy="${py(scaleY(points[0]![1]))}" r="3" fill="${COLOURS[i % COLOURS.length]}"/>`
      : `<polyline fill="none" stroke="${COLOURS[i % COLOURS.length]}" stroke-width="1.6" points="${points.map(([at, y]) => `${px(at)},${py(scaleY(y))}`).join(" ")}"/>`,
  );
  const legend = finite.map(
    ({ name }, i) => `<span style="color:${COLOURS[i % COLOURS.length]}">■</span> ${escapeText(name)}`,
  );
  return `<figure><figcaption><b>${escapeText(title)}</b> ${legend.join(" &nbsp; ")}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(title)}">${grid.join("")}${marks.join("")}${paths.join("")}<text x="${WIDTH - RIGHT}" y="${HEIGHT - 1}" class="end">${escapeText(x)}</text></svg></figure>`;
}

/** Counts of values in equal bins between their extremes. */
export function histogram(title: string, values: Float32Array, bins = 41): string {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (!(high > low)) [low, high] = [low - 1e-6, low + 1e-6];
  const counts = new Uint32Array(bins);
  for (const value of values) counts[Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins))]!++;
  const most = Math.max(...counts);
  const bars = Array.from(counts, (count, i) => {
    const height = round((count / most) * 60);
    return `<rect x="${round((i * 200) / bins)}" y="${round(62 - height)}" width="${round(200 / bins - 0.6)}" height="${height}"/>`;
  });
  return `<figure class="small"><figcaption>${escapeText(title)}</figcaption><svg viewBox="0 0 200 78" role="img" aria-label="${escapeText(title)}"><g fill="${COLOURS[0]}">${bars.join("")}</g><text x="0" y="75">${label(low)}</text><text x="200" y="75" class="end">${label(high)}</text></svg></figure>`;
}

/** [label][prediction] counts as a table whose cells are as dark as their share of the row. */
export function confusionTable(matrix: readonly (readonly number[])[], classes: readonly string[]): string {
  const head = classes.map((name) => `<th>${escapeText(name)}</th>`).join("");
  const rows = matrix.map((row, i) => {
    const total = row.reduce((sum, n) => sum + n, 0) || 1;
    const cells = row.map((n, j) => {
      const share = n / total;
      const hue = i === j ? "37,99,168" : "194,87,26";
      const alpha = n === 0 ? 0 : 0.12 + 0.88 * (i === j ? share : Math.min(1, share * 6));
      return `<td style="background:rgba(${hue},${round(alpha)});color:${alpha > 0.55 ? "#fff" : "inherit"}">${n || ""}</td>`;
    });
    return `<tr><th>${escapeText(classes[i]!)}</th>${cells.join("")}<td class="recall">${((row[i]! / total) * 100).toFixed(1)} %</td></tr>`;
  });
  return `<table class="confusion"><tr><th>is \\ read as</th>${head}<th>right</th></tr>${rows.join("")}</table>`;
}

/** One sample as a small picture: a picture [H, W, C] or a sequence [T, C] (time to the right) in grey or colour. */
export function thumbnail(
  x: Float32Array,
  shape: readonly number[],
  encode: (rgb: Uint8Array, width: number, height: number) => string,
): string {
  const isPicture = shape.length === 3;
  const [height, width, channels] = isPicture ? (shape as [number, number, number]) : [shape[1] ?? 1, shape[0]!, 1];
  let [low, high] = [Infinity, -Infinity];
  for (const value of x) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const rgb = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let c = 0; c < 3; c++) {
        const at = isPicture
          ? (row * width + column) * channels + (channels === 3 ? c : 0)
          : column * height + (height - 1 - row);
        rgb[(row * width + column) * 3 + c] = Math.round((255 * (x[at]! - low)) / (high - low || 1));
      }
    }
  }
  return `<img width="${Math.max(56, Math.min(112, width * 2))}" src="${encode(rgb, width, height)}" alt="">`;
}
