// The engines with JavaScript, which run the vectors through the host: Node, browsers, workerd, Node on arm64.
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { BROWSERS, type BrowserName, browserAbsent, startBrowser } from "../engines/browsers.ts";
import { absent, ENGINES } from "../engines/find.ts";
import { serve } from "../engines/serve.ts";
import { startWorker, workerdAbsent } from "../engines/workerd.ts";
import { ARM64_ABSENT, arm64Node } from "../support/arm64.ts";
import { newerNode } from "../support/engines.ts";
import { root } from "../support/sources.ts";
import type { Build, Engine, Outcome, Report } from "./engine.ts";
import type { VectorSet } from "./vectors.ts";

const ALL: readonly Build[] = ["scalar", "simd", "relaxed"];
const PLAIN: readonly Build[] = ["scalar", "simd"];
const GUEST = join(root, "test/conformance/guest");
const RELAXED_FLAG = "--experimental-wasm-relaxed-simd";

/** What guest/vectors.mjs answers, and guest/node.mjs adds. */
interface Said {
  readonly version: string;
  readonly chosen: Build;
  readonly outcomes: readonly Outcome[];
  readonly ms?: number;
  /** the code of the host's error where it does not take the build */
  readonly refused?: string;
}

async function askNode(node: readonly string[], build: Build, set: VectorSet, timed: boolean): Promise<Said> {
  const [program, ...flags] = node as [string, ...string[]];
  const args = [...flags, join(GUEST, "node.mjs"), set.folder, build, ...(timed && set.timed ? [set.timed] : [])];
  const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout) as Said;
}

const checked = ({ refused, ...said }: Said, build: Build): Report => {
  if (refused !== undefined) throw new Error(`the ${build} build is refused: ${refused}`);
  return said;
};

const node = (name: string, builds: readonly Build[], path: string | undefined, absence: string): Engine => ({
  name,
  builds,
  quick: true,
  absent: () => (path ? undefined : absence),
  run: async (build, set) => checked(await askNode([path!], build, set, true), build),
});

const isNode20 = process.versions.node.startsWith("20.");

/** Node 20's relaxed dot is wrong at first: the host must find that out, refuse the build and end on simd. */
const flaggedNode: Engine = {
  name: "Node 20 with the relaxed flag",
  builds: ["relaxed"],
  quick: true,
  absent: () => (isNode20 && process.arch === "x64" ? undefined : "this Node is not 20, the one with the flag"),
  async run(build, set) {
    const asked = await askNode([process.execPath, RELAXED_FLAG], build, set, false);
    const { chosen, refused } = asked;
    if (refused !== "NO_CORE" || chosen !== "simd")
      throw new Error(`its relaxed build is wrong and must be refused for simd, but it was ${refused}, ${chosen}`);
    return {
      ...checked(await askNode([process.execPath, RELAXED_FLAG], chosen, set, true), chosen),
      refusedFor: chosen,
    };
  },
};

const NAMES: Readonly<Record<BrowserName, string>> = {
  chromium: "Chromium",
  firefox: "Firefox",
  webkit: "WebKitGTK",
};

const browser = (name: BrowserName): Engine => ({
  name: NAMES[name],
  // WebKitGTK has no relaxed dot yet
  builds: name === "webkit" ? PLAIN : ALL,
  quick: true,
  absent: () => browserAbsent(name),
  async run(build, set) {
    const folders = { "/": GUEST, "/dist/": join(root, "dist"), "/vectors/": set.folder };
    const server = await serve(folders);
    const started = await startBrowser(name);
    try {
      const page = await started.open(`${server.origin}/page.html`);
      const call = `runBuild(${JSON.stringify(build)}, ${JSON.stringify(set.timed ?? null)})`;
      return { ...(await page.evaluate<Said>(call)), version: started.version };
    } finally {
      await started.close();
      server.close();
    }
  },
});

const workerd: Engine = {
  name: "workerd",
  builds: ALL,
  quick: true,
  absent: workerdAbsent,
  async run(build, set) {
    const folder = join(ENGINES, "conformance-worker");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const each of ALL) cpSync(join(root, `dist/core/${each}.wasm`), join(folder, `${each}.wasm`));
    cpSync(join(root, "dist/host/index.bundle.js"), join(folder, "host.js"));
    cpSync(join(GUEST, "vectors.mjs"), join(folder, "vectors.js"));
    cpSync(join(GUEST, "worker.mjs"), join(folder, "worker.js"));
    cpSync(join(set.folder, "blob.bin"), join(folder, "blob.bin"));
    const index = readFileSync(join(set.folder, "index.json"), "utf8");
    writeFileSync(join(folder, "index.js"), `export default ${index};`);
    const worker = await startWorker(folder, "worker.js");
    try {
      const response = await worker.fetch(`/${build}?timed=${set.timed ?? ""}`);
      return { ...checked((await response.json()) as Said, build), version: worker.version };
    } finally {
      await worker.close();
    }
  },
};

const arm64: Engine = {
  name: "Node on arm64 (qemu)",
  builds: ALL,
  quick: false,
  absent: () => (arm64Node ? undefined : ARM64_ABSENT),
  run: async (build, set) => checked(await askNode(arm64Node!, build, set, false), build),
};

export const SCRIPT_ENGINES: readonly Engine[] = [
  node(`Node ${process.versions.node.split(".")[0]}`, PLAIN, process.execPath, ""),
  flaggedNode,
  node("Node 24", ALL, newerNode, absent("node24")),
  ...BROWSERS.map(browser),
  workerd,
  arm64,
];
