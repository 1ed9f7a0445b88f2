// Puts a made model and its tokenizer where wrangler uploads assets from, and their SHA-256 where the Worker's code has
// them from. usage: node examples/sentences/worker/prepare.mjs FOLDER [ROWS, 64 unless said]
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder, rows = "64"] = process.argv.slice(2);
if (!folder || !existsSync(join(folder, `minilm-${rows}.mote`))) {
  console.error(
    `usage: node prepare.mjs FOLDER [ROWS]; ${folder ?? "FOLDER"} must have minilm-${rows}.mote of make.mjs`,
  );
  process.exit(2);
}
const assets = new URL("./generated/assets/", import.meta.url);
mkdirSync(assets, { recursive: true });
const hashes = {};
for (const [name, from] of [
  ["minilm.mote", `minilm-${rows}.mote`],
  ["tokenizer.json", "tokenizer.json"],
  ["tokenizer_config.json", "tokenizer_config.json"],
]) {
  const bytes = readFileSync(join(folder, from));
  writeFileSync(new URL(name, assets), bytes);
  hashes[name] = createHash("sha256").update(bytes).digest("hex");
}
writeFileSync(new URL("./generated/hashes.json", import.meta.url), `${JSON.stringify(hashes, null, 2)}\n`);
console.log(hashes);
