// The package as a user gets it: packed, unpacked into an empty project with only its declared
// dependencies beside it, then imported, type-checked and run. Invariant: nothing is fetched.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { read, root } from "./support/sources.ts";

interface Conditions {
  readonly [condition: string]: string | Conditions;
}
interface Manifest {
  readonly version: string;
  readonly bin: { readonly mote: string };
  readonly exports: Readonly<Record<string, string | Conditions>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(read("package.json")) as Manifest;

const app = mkdtempSync(join(tmpdir(), "mote-package-"));
const installed = join(app, "node_modules/mote-runtime");
let packed: string[] = [];
afterAll(() => rmSync(app, { recursive: true }));

const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const node = (args: readonly string[], cwd = app): string => run(process.execPath, args, cwd);

/** The README's quick start in `language`. */
function example(language: string): string {
  const [, section = ""] = read("README.md").split("## Quick start\n");
  return section.split(`\`\`\`${language}\n`)[1]!.split("```")[0]!;
}

/** As `npm install` would, without asking a registry: what the package does not declare, it does not find. */
function link(name: string): void {
  const at = join(app, "node_modules", name);
  mkdirSync(dirname(at), { recursive: true });
  symlinkSync(join(root, "node_modules", name), at, "junction");
}

beforeAll(() => {
  const [{ filename, files }] = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", app], root)) as [
    { filename: string; files: { path: string }[] },
  ];
  packed = files.map(({ path }) => path);
  mkdirSync(installed, { recursive: true });
  run("tar", ["-xzf", filename, "--strip-components=1", "-C", installed], app);
  for (const name of Object.keys(manifest.dependencies)) link(name);
  writeFileSync(join(app, "package.json"), '{ "type": "module" }');
});

describe("the packed package", () => {
  it("has what its manifest names, and no file only for building or testing it", () => {
    const filesOf = (to: string | Conditions): string[] =>
      typeof to === "string" ? [to] : Object.values(to).flatMap(filesOf);
    const targets = Object.values(manifest.exports).flatMap(filesOf);
    expect([manifest.bin.mote, ...targets].filter((to) => !existsSync(join(installed, to)))).toEqual([]);
    const kept =
      /^(include\/\w+\.h|dist\/.*(\.js|\.d\.ts|\.wasm)|dist\/cjs\/package\.json|models\/digits\/[^/]+\.(md|json|txt|png|tflite|mote)|[^/]+)$/;
    expect(packed.filter((path) => !kept.test(path))).toEqual([]);
    expect(packed).toEqual(expect.arrayContaining(["LICENSE", "README.md", "CHANGELOG.md"]));
  });

  it("imports by every name", () => {
    const names = Object.keys(manifest.exports).filter(
      (name) => !/\.(wasm|json|mote)$|^\.\/(worker|webview\/worker)$/.test(name),
    );
    const script = names.map((name) => `console.log(Object.keys(await import("mote-runtime${name.slice(1)}")).length)`);
    writeFileSync(join(app, "names.mjs"), script.join("\n"));
    const counts = node(["names.mjs"]).trim().split("\n").map(Number);
    expect(counts).toHaveLength(names.length);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  it("is required by a program that is no module, with the same answer", () => {
    const work = `const { bytes, run } = { bytes: "models/digits/digits.mote", run: async ({ loadModel, MoteError }) => {
      const session = await (await loadModel(bytes)).createSession();
      const refused = await loadModel(new Uint8Array(9)).catch((error) => error instanceof MoteError && error.code);
      console.log(session.selfTest(), session.build, refused);
    } };`;
    writeFileSync(join(installed, "one.mjs"), `${work} run(await import("mote-runtime/node"));`);
    writeFileSync(join(installed, "two.cjs"), `${work} run(require("mote-runtime/node"));`);
    const [one, two] = [node(["one.mjs"], installed), node(["two.cjs"], installed)];
    expect(one).toMatch(/^true (simd|relaxed) BAD_MODEL\n$/);
    expect(two).toBe(one);
  });

  it("answers to `mote --version`", () => {
    expect(node([join(installed, manifest.bin.mote), "--version"]).trim()).toBe(manifest.version);
  });

  it("runs the README's quick start", () => {
    writeFileSync(join(app, "quickstart.mjs"), example("ts"));
    expect(node([join(app, "quickstart.mjs")], installed)).toContain("conv2d");
  });

  it("runs the README's commands", () => {
    const commands = [...example("sh").matchAll(/^npx mote ([^#]*)/gm)].map((match) => match[1]!.trim().split(/\s+/));
    const folder = join(installed, "models/digits");
    const said = commands.map((args) => node([join(installed, manifest.bin.mote), ...args], folder));
    expect(commands.map(([command]) => command)).toEqual(["import", "inspect", "explain", "run", "profile", "verify"]);
    expect(said[3]).toMatch(/^ *7 +7 +\d/m);
  });

  it("has types for it, with and without Node's", () => {
    link("@types/node");
    writeFileSync(join(app, "quickstart.ts"), example("ts"));
    writeFileSync(
      join(app, "browser.ts"),
      'import { loadModel, type Model } from "mote-runtime";\nexport const model: Promise<Model> = loadModel("m.mote");\n',
    );
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const options = ["--noEmit", "--strict", "--target", "es2023", "--module", "nodenext", "--lib", "es2023,dom"];
    const check = (file: string, types: string): string => {
      try {
        return node([tsc, ...options, "--types", types, file]);
      } catch (error) {
        return String((error as { stdout?: string }).stdout);
      }
    };
    expect(check("quickstart.ts", "node")).toBe("");
    expect(check("browser.ts", "")).toBe("");
  });
});

describe("package.json", () => {
  it("has only scripts whose files exist", () => {
    const named = Object.values(manifest.scripts).flatMap((script) => script.match(/\S+\.mjs/g) ?? []);
    expect(named.filter((path) => !existsSync(root + path))).toEqual([]);
  });
});
