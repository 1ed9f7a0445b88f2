// What a compiler made of the same sources is not made again: outputs lie in node_modules/.cache/mote under the hash of the
// sources, the compiler's version and these scripts. Invariant: an entry is whole or absent (it is renamed into place).
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const CACHE = "node_modules/.cache/mote";
const MOST = 64;

function* filesIn(path) {
  const entries = readdirSync(path, { withFileTypes: true, recursive: true });
  for (const each of entries) if (each.isFile()) yield join(each.parentPath ?? each.path, each.name);
}

function hashOf(sources) {
  const hash = createHash("sha256").update(require("assemblyscript/package.json").version);
  const folders = [...sources, "tools/build"];
  const files = folders.flatMap((each) => (/\.\w+$/.test(each) ? [each] : [...filesIn(each)])).sort();
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(file)).update("\0");
  return hash.digest("hex").slice(0, 24);
}

/** Keeps the cache from growing for ever: the entries longest untouched go. */
function forget() {
  const entries = [...readdirSync(CACHE)].sort();
  for (const each of entries.slice(0, Math.max(0, entries.length - MOST)))
    rmSync(join(CACHE, each), { recursive: true, force: true });
}

/**
 * @param sources files and folders that decide the outputs, from the project's root
 * @param outputs files that `make` writes
 */
export async function kept(label, sources, outputs, make) {
  const started = performance.now();
  mkdirSync(CACHE, { recursive: true });
  const hash = hashOf(sources);
  const name = `${basename(outputs[0])}-${hash}`;
  const found = readdirSync(CACHE).find((each) => each.endsWith(name));
  if (found) {
    for (const output of outputs) {
      mkdirSync(dirname(output), { recursive: true });
      cpSync(join(CACHE, found, basename(output)), output);
    }
  } else {
    await make();
    const fresh = join(CACHE, `fresh.${process.pid}`);
    mkdirSync(fresh);
    for (const output of outputs) cpSync(output, join(fresh, basename(output)));
    const whole = join(CACHE, `${new Date().toISOString().replace(/\W/g, "")}-${name}`);
    if (existsSync(whole)) rmSync(fresh, { recursive: true });
    else renameSync(fresh, whole);
    forget();
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${label.padEnd(22)} ${seconds} s${found ? ", as it was" : ""}`);
}
