// The engines that the bench was asked for and that are here.
import { programVersion } from "../machine.mjs";
import { pathOf } from "../places.mjs";
import { findProgram } from "../setup.mjs";
import { chromiumEngine } from "./chromium.mjs";
import { nativeEngine } from "./native.mjs";
import { nodeEngine } from "./node.mjs";

/** @param note called with a sentence for everything that is left out */
export async function openEngines({ engines: wanted, chromium, avx2 }, peers, note) {
  const v8 = avx2 ? ["--no-enable-avx-vnni", "--no-enable-avx-vnni-int8"] : [];
  const engines = [];
  if (wanted.includes("node20"))
    engines.push({ name: nameOf(process.version), version: process.version, ...nodeEngine(process.execPath) });
  if (wanted.includes("node24")) {
    const path = pathOf("/packages/node/bin/node");
    const version = programVersion(path, "--version");
    if (version) engines.push({ name: nameOf(version), version, ...nodeEngine(path, v8) });
    else note("Node 24 did not install, so it is skipped");
  }
  if (wanted.includes("chromium")) {
    const path = chromium ?? findProgram("chromium", "chromium-browser", "google-chrome");
    const version = path && programVersion(path, "--version", "--no-sandbox");
    if (version) {
      const number = /[\d.]+/.exec(version)?.[0] ?? version;
      engines.push({ name: "chromium", version: number, ...(await chromiumEngine(path, v8)) });
    } else note("no Chromium in PATH, so it is skipped: name one with --chromium");
  }
  if (peers.includes("native")) {
    const native = await nativeEngine();
    if (native) engines.push({ name: "native", version: native.versions, ...native });
    else note("native references skipped: no Python here imports ai_edge_litert or onnxruntime (engines/native.mjs)");
  }
  return engines;
}

const nameOf = (version) => `node${/\d+/.exec(version)[0]}`;

export async function closeEngines(engines) {
  for (const engine of engines) await engine.close();
}
