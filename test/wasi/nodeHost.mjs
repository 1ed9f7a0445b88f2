// A WASI command on the standard streams of this process, by the built host/targets/wasi.ts:
//   node nodeHost.mjs module.wasm folder [argument …]
// The folder is "." to the command. Prints a trap as other engines do, with exit status 134.
import { readFileSync } from "node:fs";
import { runCommand } from "../../dist/host/targets/wasi.js";

const [path, folder, ...args] = process.argv.slice(2);
try {
  process.exitCode = await runCommand(readFileSync(path), { args, folders: { ".": folder } });
} catch (error) {
  console.error(`trap: ${error}`);
  process.exitCode = 134;
}
