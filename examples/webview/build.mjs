// `node build.mjs [--keywords FILE] [--person FILE] [--out FOLDER]`: makes the page's folder of static files, with the
// digits model of the package and, if they are given, two more `.mote` files. Serve it from anywhere, or put it into a
// shell (shells/). Invariant: the service worker's version is the hash of all that it keeps.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { encode } from "fast-png";

const { values } = parseArgs({
  options: {
    keywords: { type: "string" },
    person: { type: "string" },
    out: { type: "string", default: fileURLToPath(new URL("www", import.meta.url)) },
  },
});
const source = fileURLToPath(new URL("src/", import.meta.url));
const packaged = (name) => fileURLToPath(import.meta.resolve(`mote-runtime/${name}`));
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

const { out } = values;
rmSync(out, { recursive: true, force: true });
for (const folder of ["core", "models"]) mkdirSync(join(out, folder), { recursive: true });

const models = {};
const given = { digits: packaged("models/digits/digits.mote"), keywords: values.keywords, person: values.person };
for (const [name, path] of Object.entries(given)) {
  if (!path) continue;
  const hash = sha256(readFileSync(path));
  copyFileSync(path, join(out, `models/${name}.mote`));
  models[name] = { address: `models/${name}.mote`, sha256: hash, version: hash.slice(0, 16) };
}

for (const name of ["relaxed", "simd", "scalar"]) {
  copyFileSync(packaged(`core/${name}.wasm`), join(out, `core/${name}.wasm`));
}
for (const name of ["index.html", "style.css", "manifest.webmanifest", "icon.svg", "recorder.js"]) {
  copyFileSync(join(source, name), join(out, name));
}
// the icon once more as pixels, for systems that take no SVG: an M of three strokes
for (const size of [192, 512]) writeFileSync(join(out, `icon-${size}.png`), encode(icon(size)));

const shared = { bundle: true, minify: true, format: "esm", target: "es2022", logLevel: "error" };
await build({
  ...shared,
  entryPoints: [join(source, "app.js")],
  outfile: join(out, "app.js"),
  define: { MODELS: JSON.stringify(models) },
});
await build({ ...shared, entryPoints: [packaged("webview/worker")], outfile: join(out, "worker.js") });

const files = readdirSync(out, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.endsWith(".mote"))
  .map((entry) => join(entry.parentPath, entry.name));
const version = sha256(files.map((path) => sha256(readFileSync(path))).join()).slice(0, 16);
const addresses = files.map((path) => path.slice(out.length + 1).replaceAll("\\", "/"));
await build({
  ...shared,
  entryPoints: [join(source, "service-worker.js")],
  outfile: join(out, "service-worker.js"),
  define: { VERSION: JSON.stringify(version), FILES: JSON.stringify(["./", ...addresses.sort()]) },
});

function icon(size) {
  const data = new Uint8Array(size * size * 3);
  const strokes = [
    [16, 44, 16, 24],
    [16, 24, 32, 38],
    [32, 38, 48, 24],
    [48, 24, 48, 44],
  ];
  const distance = (x, y, [ax, ay, bx, by]) => {
    const along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2);
    const at = Math.max(0, Math.min(1, along));
    return Math.hypot(x - ax - at * (bx - ax), y - ay - at * (by - ay));
  };
  for (let i = 0; i < size * size; i++) {
    const [x, y] = [((i % size) + 0.5) * (64 / size), (Math.floor(i / size) + 0.5) * (64 / size)];
    const colour = Math.min(...strokes.map((stroke) => distance(x, y, stroke))) < 3 ? [121, 176, 255] : [20, 23, 28];
    data.set(Math.hypot(x - 32, y - 20) < 4 ? [233, 237, 242] : colour, 3 * i);
  }
  return { width: size, height: size, data, channels: 3, depth: 8 };
}
