// More charts as SVG text: bars side by side for names, and points with names over two axes. Invariant: as in chart.ts: rounded
// numbers, escaped text.

import { escapeText } from "./chart.ts";

const COLOURS = ["#2563a8", "#c2571a", "#3b8452"];
const round = (value: number): number => Math.round(value * 100) / 100;
const short = (value: number): string => String(Number(value.toPrecision(4)));

export interface Bars {
  readonly title: string;
  readonly series: readonly string[];
  readonly rows: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly unit?: string;
}

/** Horizontal bars, one group a row; a value that is no finite number has no bar but its text. */
export function barChart({ title, series, rows, unit = "" }: Bars): string {
  if (rows.length === 0) return "";
  const finite = rows.flatMap(({ values }) => values).filter(Number.isFinite);
  const most = Math.max(...finite.map(Math.abs), 1e-9);
  const [left, width, thick] = [210, 560, 11];
  const step = series.length * thick + 8;
  const bars = rows.flatMap(({ name, values }, r) => {
    const top = r * step + 6;
    const label = `<text x="${left - 8}" y="${top + (step - 8) / 2 + 4}" class="end">${escapeText(name)}</text>`;
    const each = values.map((value, i) => {
      const length = Number.isFinite(value) ? round((Math.max(0, value) / most) * width) : 0;
      const text = Number.isFinite(value) ? `${short(value)}${unit}` : value > 0 ? "no error" : "–";
      const y = top + i * thick;
      return `<rect x="${left}" y="${y}" width="${length}" height="${thick - 2}" fill="${COLOURS[i % COLOURS.length]}"/><text x="${left + length + 5}" y="${y + thick - 2}">${text}</text>`;
    });
    return [label, ...each];
  });
  const legend = series.map((name, i) => `<span style="color:${COLOURS[i]}">■</span> ${escapeText(name)}`);
  const height = rows.length * step + 8;
  return `<figure class="wide"><figcaption><b>${escapeText(title)}</b> ${legend.join(" &nbsp; ")}</figcaption><svg viewBox="0 0 ${left + width + 80} ${height}" role="img" aria-label="${escapeText(title)}">${bars.join("")}</svg></figure>`;
}

export interface Point {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  /** drawn larger and in the second colour */
  readonly isChosen?: boolean;
  /** joined by a line, in the order of x */
  readonly isOnFront?: boolean;
}

/** Named points; `budget`: a vertical line at this x. */
export function scatter(
  title: string,
  xName: string,
  yName: string,
  points: readonly Point[],
  budget?: number,
): string {
  if (points.length === 0) return "";
  const [width, height, left, bottom] = [520, 300, 56, 34];
  const xs = [...points.map(({ x }) => x), ...(budget === undefined ? [] : [budget])];
  const ys = points.map(({ y }) => y);
  const [x0, x1] = [Math.min(...xs) * 0.96, Math.max(...xs) * 1.06 || 1];
  const spread = Math.max(...ys) - Math.min(...ys) || 1;
  const [y0, y1] = [Math.min(...ys) - spread * 0.12, Math.max(...ys) + spread * 0.12];
  const px = (x: number): number => round(left + ((x - x0) / (x1 - x0)) * (width - left - 90));
  const py = (y: number): number => round(height - bottom - ((y - y0) / (y1 - y0)) * (height - bottom - 14));
  const grid = Array.from({ length: 5 }, (_, i) => y0 + ((i + 0.5) / 5) * (y1 - y0)).map(
    (y) =>
      `<line x1="${left}" x2="${width - 10}" y1="${py(y)}" y2="${py(y)}" class="grid"/><text x="${left - 6}" y="${py(y) + 4}" class="end">${short(y)}</text>`,
  );
  const marks = Array.from({ length: 5 }, (_, i) => x0 + ((i + 0.5) / 5) * (x1 - x0)).map(
    (x) => `<text x="${px(x)}" y="${height - 18}" class="middle">${short(x)}</text>`,
  );
  const line =
    budget === undefined
      ? ""
      : `<line x1="${px(budget)}" x2="${px(budget)}" y1="10" y2="${height - bottom}" stroke="#a83252" stroke-dasharray="4 3"/><text x="${px(budget)}" y="9" class="middle">budget</text>`;
  const front = points.filter(({ isOnFront }) => isOnFront).sort((a, b) => a.x - b.x);
  const path =
    front.length > 1
      ? `<polyline fill="none" stroke="#3b8452" points="${front.map(({ x, y }) => `${px(x)},${py(y)}`).join(" ")}"/>`
      : "";
  // names only where they do not lie on one another
  const placed: [number, number][] = [];
  const dots = points.map(({ name, x, y, isChosen, isOnFront }) => {
    const at: [number, number] = [px(x), py(y)];
    const isFree = placed.every(([a, b]) => Math.abs(a - at[0]) > 70 || Math.abs(b - at[1]) > 12);
    const isNamed = isChosen || isFree;
    if (isNamed) placed.push(at);
    const colour = isChosen ? COLOURS[1] : isOnFront ? COLOURS[2] : COLOURS[0];
    return `<circle cx="${at[0]}" cy="${at[1]}" r="${isChosen ? 6 : 3.5}" fill="${colour}"><title>${escapeText(name)}: ${short(x)}, ${short(y)}</title></circle>${isNamed ? `<text x="${at[0] + 8}" y="${at[1] + 4}">${escapeText(name)}</text>` : ""}`;
  });
  return `<figure><figcaption><b>${escapeText(title)}</b> ${escapeText(yName)}</figcaption><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(title)}">${grid.join("")}${marks.join("")}${line}${path}${dots.join("")}<text x="${width - 10}" y="${height - 2}" class="end">${escapeText(xName)}</text></svg></figure>`;
}
