// The relaxed build on engines that have its instructions. Node 20 has them behind a flag and computes wrong
// results at first, so that the host must end on simd; Node 24 runs the core's tests once more, with the relaxed
// build among the builds. Where Node 24 is from: test/support/engines.ts.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { newerNode } from "../support/engines.ts";
import { tinyModel } from "../support/tinyModel.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "mote-"));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, "tiny.mote"), tinyModel());

const PROGRAM = `
  import { readFileSync } from "node:fs";
  import { loadModel } from "mote-runtime/node";
  const model = await loadModel(${JSON.stringify(join(folder, "tiny.mote"))});
  const session = await model.createSession();
  const named = await model.createSession({ build: "relaxed" }).catch(({ code }) => ({ build: code }));
  const core = (name) => readFileSync("dist/core/" + name + ".wasm");
  const without = await loadModel(readFileSync(${JSON.stringify(join(folder, "tiny.mote"))}), {
    core: { relaxed: () => readFileSync("no such file"), simd: () => core("simd") },
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(core("relaxed")));
  console.log(JSON.stringify({
    chosen: session.build, sound: session.selfTest(), named: named.build, worth: exports.build(),
    missing: (await without.createSession()).build,
  }));
`;

interface Said {
  /** what the host chose */
  readonly chosen: string;
  readonly sound: boolean;
  /** what it gave to one who asked for relaxed */
  readonly named: string;
  /** what the core says of itself */
  readonly worth: number;
  /** what the host chose where the relaxed file is missing */
  readonly missing: string;
}

function choiceOf(node: string, ...flags: string[]): Said {
  const options = { cwd: root, encoding: "utf8" as const };
  return JSON.parse(execFileSync(node, [...flags, "--input-type=module", "-e", PROGRAM], options)) as Said;
}

describe("Node 20 with the flag for relaxed SIMD", () => {
  const FLAG = "--experimental-wasm-relaxed-simd";
  const hasFlag = process.versions.node.startsWith("20.");

  it("computes wrong results at first and ends on simd", ({ skip }) => {
    if (!hasFlag) skip("this Node is not 20, the one with the flag");
    const said = choiceOf(process.execPath, FLAG);
    expect(said).toMatchObject({ chosen: "simd", sound: true, missing: "simd" });
    // the fault is of V8 on x86; elsewhere the build may be asked for, and only there
    if (process.arch === "x64") expect(said).toMatchObject({ worth: 4, named: "NO_CORE" });
  });

  it("ends on simd also where the optimizing compiler computes right, as its dot is slow", ({ skip }) => {
    if (!hasFlag) skip("this Node is not 20, the one with the flag");
    const said = choiceOf(process.execPath, FLAG, "--no-liftoff");
    if (process.arch === "x64") expect(said).toMatchObject({ chosen: "simd", worth: 3, named: "relaxed" });
  });
});

describe("Node 24", () => {
  const newer = (skip: (note: string) => never): string => newerNode ?? skip("Node 24 is absent: .ci/run installs it");

  it("computes right, and takes the relaxed build where its dot is one instruction", ({ skip }) => {
    const said = choiceOf(newer(skip));
    expect(said.worth === 2 || said.worth === 3).toBe(true);
    const chosen = said.worth === 2 ? "relaxed" : "simd";
    expect(said).toMatchObject({ chosen, sound: true, named: "relaxed", missing: "simd" });
    if (process.arch !== "x64") return;
    const avx2 = choiceOf(newerNode!, "--no-enable-avx-vnni", "--no-enable-avx-vnni-int8");
    expect(avx2).toMatchObject({ chosen: "simd", sound: true, named: "relaxed", worth: 3 });
  });

  it("gives the reference's bytes on the relaxed build, and stays inside the memory", ({ skip }) => {
    const files = ["ops/conv2d", "ops/fullyConnected", "ops/hostileSteps", "golden/models", "golden/digits"];
    const paths = files.map((name) => `test/${name}.test.ts`);
    const args = ["node_modules/vitest/vitest.mjs", "run", "--reporter=json", ...paths];
    const options = { cwd: root, encoding: "utf8" as const, maxBuffer: 2 ** 28, stdio: ["ignore", "pipe", "ignore"] };
    const said = execFileSync(newer(skip), args, options as object).toString();
    const report = JSON.parse(said.slice(said.indexOf("{"))) as {
      success: boolean;
      numTotalTestSuites: number;
      testResults: readonly { assertionResults: readonly { fullName: string; status: string }[] }[];
    };
    expect(report.success).toBe(true);
    const names = report.testResults.flatMap(({ assertionResults }) =>
      assertionResults.map(({ fullName }) => fullName),
    );
    expect(names.filter((name) => name.includes("on the relaxed build")).length).toBeGreaterThan(0);
  });
});
