// Runs native references in a fresh Python process, where a Python that can import them is found: `python3`, or
// one in .bench/venv (python3 -m venv .bench/venv && .bench/venv/bin/pip install ai-edge-litert onnxruntime).
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { OWN, pathOf } from "../places.mjs";

const PROGRAM = pathOf("/bench/peers/native.py");
const execute = promisify(execFile);

/** @returns undefined where there is nothing native to run */
export async function nativeEngine() {
  for (const python of [`${OWN}venv/bin/python3`, "python3"]) {
    const found = await call(python, "probe").catch(() => ({}));
    if (Object.keys(found).length > 0)
      return {
        variants: Object.keys(found),
        versions: found,
        run: (task) =>
          call(python, JSON.stringify({ ...task, root: pathOf("/peers/") })).catch((error) => ({
            error: String(error),
          })),
        close() {},
      };
  }
  return undefined;
}

async function call(python, argument) {
  const { stdout } = await execute(python, [PROGRAM, argument], { timeout: 180_000, maxBuffer: 2 ** 24 });
  return JSON.parse(stdout.trim().split("\n").at(-1));
}
