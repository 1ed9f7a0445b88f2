// The house rules of the README that a machine can hold: who may import whom, and how files
// are named, sized and opened. Invariant: each rule is also shown a case that breaks it, so that a rule
// which has stopped looking is noticed.
import { describe, expect, it } from "vitest";
import { VERSION } from "../tools/pack/version.ts";
import { files, importsIn, read, resolve, sources } from "./support/sources.ts";

const pkg = JSON.parse(read("package.json")) as {
  version: string;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
};

const isNode = (target: string): boolean => target.startsWith("node:");
const isShipped = (target: string): boolean =>
  Object.keys({ ...pkg.dependencies, ...pkg.peerDependencies }).some(
    (name) => target === name || target.startsWith(`${name}/`),
  );

/** What a file of each folder may import, `target` being a path from the root or a package's name. */
const MAY: readonly (readonly [folder: string, may: (target: string) => boolean])[] = [
  ["assembly/", (target) => target.startsWith("assembly/")],
  // Node's own module by the name without "node:", which the project promises
  ["host/targets/wasi.ts", (target) => target.startsWith("host/") || target === "wasi"],
  ["host/targets/node.ts", (target) => target.startsWith("host/") || isNode(target)],
  // the core beside it, as a module of the Worker's own
  ["host/targets/worker.ts", (target) => target.startsWith("host/") || target === "core/simd.wasm"],
  // every run-time dependency must earn its bytes: msgpackr/unpack was 5.5 of the host's 11.9 KiB
  ["host/", (target) => target.startsWith("host/") || target === "assembly/abi.ts"],
  // scripts of `npm run …`, which are not shipped and may use what is installed for development
  ["tools/build/", (target) => !/^(test|models)\//.test(target)],
  ["tools/cli/", (target) => target === "host/targets/node.ts" || mayTools(target)],
  ["tools/", (target) => mayTools(target)],
  ["models/", (target) => !target.startsWith("test/")],
  ["test/", () => true],
];

function mayTools(target: string): boolean {
  const allowed = /^(tools|host\/format|assembly\/abi)\//.test(target) || /^assembly\/(abi|floatAbi)\.ts$/.test(target);
  return allowed || isNode(target) || isShipped(target);
}

function forbiddenImports(path: string, text: string): string[] {
  const may = MAY.find(([folder]) => path.startsWith(folder))?.[1] ?? (() => true);
  return importsIn(text)
    .map((specifier) => resolve(path, specifier))
    .filter((target) => !may(target))
    .map((target) => `${path} imports ${target}`);
}

describe("imports", () => {
  it("go only where the folder table of the README allows", () => {
    expect(sources.flatMap((path) => forbiddenImports(path, read(path)))).toEqual([]);
  });

  it.each([
    ["assembly/ops/conv2d.ts", 'import { x } from "../../host/errors";'],
    ["host/session.ts", 'import type { Graph } from "../tools/graph/graph.ts";'],
    ["host/session.ts", 'export {\n  a,\n  b,\n} from "../assembly/execute.ts";'],
    ["host/source.ts", 'import { readFile } from "node:fs/promises";'],
    ["host/format/reader.ts", 'import { unpack } from "msgpackr/unpack";'],
    ["tools/pack/pack.ts", 'import { loadModel } from "../../host/index.ts";'],
    ["tools/pack/pack.ts", 'const { build } = await import("vitest/node");'],
    ["tools/build/demo.mjs", 'import "../../test/support/core.ts";'],
  ])("%s may not: %s", (path, text) => {
    expect(forbiddenImports(path, text)).toHaveLength(1);
  });
});

describe("files", () => {
  it("have names that say what is in them", () => {
    const vague = /(^|\/)(utils?|helpers?|misc|common)(\.|\/)/;
    expect(files.filter((path) => vague.test(path))).toEqual([]);
    expect("tools/utils.ts").toMatch(vague);
  });

  it("are short: 400 lines, tests 600", () => {
    const lines = (path: string): number => read(path).split("\n").length - 1;
    const long = sources.filter((path) => lines(path) > (path.startsWith("test/") ? 600 : 400));
    expect(long.map((path) => `${path}: ${lines(path)} lines`)).toEqual([]);
  });

  it("open with a comment that says what they are", () => {
    const opening = /^(#!.*\n)?(\/\/ |\/\*\*)/;
    expect(sources.filter((path) => !opening.test(read(path)))).toEqual([]);
    expect("import x;").not.toMatch(opening);
  });

  it("name no place on the machine they were written on, and no registry", () => {
    const place =
      /(?<![\w.:])\/(?:home|root|work|tmp|Users)\/|\bregistry\.[a-z]+\.[a-z]|npmjs\.|unpkg\.|jsdelivr\.|"resolved"/;
    const isText = (path: string): boolean => /\.(ts|mjs|js|json|md|py|txt|html|yml|sh)$|^\.[^/]+(\/run)?$/.test(path);
    const named = files.filter(
      (path) => isText(path) && path !== "test/architecture.test.ts" && place.test(read(path)),
    );
    expect(named).toEqual([]);
    expect('"/home/someone/mote"').toMatch(place);
  });
});

describe("the package", () => {
  it("has one version", () => {
    expect(VERSION).toBe(pkg.version);
  });

  it("locks the packages of every platform, not only of the one it was locked on", () => {
    // npm leaves out those that its registry lacks, and then refuses `npm ci` everywhere
    const { packages } = JSON.parse(read("package-lock.json")) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    );
    expect(wanted.filter((name) => !packages[`node_modules/${name}`])).toEqual([]);
  });
});
