// The one self-contained HTML page: a frame for sections, its style, nothing loaded from anywhere.

import { escapeText } from "./chart.ts";

const STYLE = `
:root { color-scheme: light dark; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1120px; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0 } h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--line) }
figure { display: inline-block; margin: 0.4rem 1.2rem 0.6rem 0; width: 520px; max-width: 100%; vertical-align: top }
figure.small { width: 200px } figure.wide { width: 850px } figure.sample { width: auto; text-align: center; font-size: 12px; margin-right: 0.8rem }
figcaption { font-size: 13px } svg { width: 100%; height: auto; overflow: visible }
svg text { font-size: 11px; fill: currentColor } .end { text-anchor: end } .middle { text-anchor: middle }
.grid { stroke: var(--line) } img { image-rendering: pixelated; border: 1px solid var(--line) }
table { border-collapse: collapse; font-size: 13px } td, th { padding: 3px 8px; text-align: right; border: 1px solid var(--line) }
table.facts td, table.facts th { text-align: left } .recall { font-weight: 600 }`;

export interface Section {
  readonly title: string;
  readonly html: string;
}

export function page(title: string, lead: string, sections: readonly Section[]): string {
  const body = sections
    .filter(({ html }) => html !== "")
    .map(({ title, html }) => `<h2>${escapeText(title)}</h2>\n${html}`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeText(title)}</title><style>${STYLE}</style></head>
<body><h1>${escapeText(title)}</h1><p>${escapeText(lead)}</p>
${body.join("\n")}
</body></html>
`;
}

export const facts = (rows: readonly (readonly [name: string, value: string])[]): string =>
  `<table class="facts">${rows.map(([name, value]) => `<tr><th>${escapeText(name)}</th><td>${escapeText(value)}</td></tr>`).join("")}</table>`;
