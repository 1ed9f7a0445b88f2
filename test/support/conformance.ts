// One graph, every build: the packed plan on each core gives exactly the reference's bytes.
// Invariant: talks to the core directly, with no host between, so a failure is the core's or the packer's.

import { readFileSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";
import { expect } from "vitest";
import { Build, SLACK_BYTES, Status } from "../../assembly/abi.ts";
import { evaluate } from "../../tools/evaluate/reference.ts";
import type { Graph, TensorData } from "../../tools/graph/graph.ts";
import { validateGraph } from "../../tools/graph/validate.ts";
import { buildImage, type Image } from "../../tools/pack/image.ts";
import { tensorBytes } from "../../tools/pack/lower.ts";
import { isRecording, record } from "../conformance/record.ts";

const coreFile = (build: string) =>
  readFileSync(new URL(`../../dist/core/${build.split(" ")[0]}.wasm`, import.meta.url));

/** Whether this engine takes the relaxed build and gets the known answers from it. targets/relaxed.test.ts sees to an engine that does. */
function hasRelaxed(): boolean {
  const bytes = coreFile("relaxed");
  if (!WebAssembly.validate(bytes)) return false;
  const core = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as { build(): number };
  return core.build() !== Build.RelaxedWrong;
}

export type BuildName = "scalar" | "simd" | "simd narrow" | "relaxed" | "relaxed narrow" | "relaxed words";
/** Every build that runs here, each with each of its inner loops, whichever `load` would choose here. */
export const BUILDS: readonly BuildName[] = [
  "scalar",
  "simd",
  "simd narrow",
  ...(hasRelaxed() ? (["relaxed", "relaxed narrow", "relaxed words"] as const) : []),
];

interface CoreExports {
  readonly memory: WebAssembly.Memory;
  heapBase(): number;
  load(base: number, available: number): number;
  failedStep(): number;
  run(): number;
}

const modules = new Map<BuildName, WebAssembly.Module>();

function coreModule(build: BuildName): WebAssembly.Module {
  let module = modules.get(build);
  if (!module) {
    module = new WebAssembly.Module(coreFile(build));
    modules.set(build, module);
  }
  return module;
}

/** A fresh core whose `load` ends with the inner loops of `build`. */
export function freshCore(build: BuildName): CoreExports {
  const exports = instantiateSync(coreModule(build), {}).exports as unknown as CoreExports & {
    useNarrow(on: number): void;
  };
  const load = (base: number, available: number): number => {
    const status = exports.load(base, available);
    exports.useNarrow(build.endsWith("narrow") ? 1 : build === "relaxed words" ? 2 : 0);
    return status;
  };
  return { ...exports, load };
}

/**
 * Loads an image into a fresh core and returns what `load` said and the means to run it. The whole arena starts
 * as 0xA5, so that nothing rests on zeros.
 */
export function loadImage(build: BuildName, bytes: Uint8Array, totalBytes: number) {
  const core = freshCore(build);
  const base = Math.ceil(core.heapBase() / 64) * 64;
  const available = totalBytes + SLACK_BYTES;
  const pages = Math.ceil((base + available) / 65536) - core.memory.buffer.byteLength / 65536;
  if (pages > 0) core.memory.grow(pages);
  const memory = new Uint8Array(core.memory.buffer);
  memory.set(bytes, base);
  memory.fill(0xa5, base + bytes.length);
  const status: Status = core.load(base, available);
  return { core, base, status };
}

/** The output bytes of `image` on one build. */
export function runImage(build: BuildName, graph: Graph, image: Image, inputs: readonly TensorData[]): Uint8Array[] {
  const { core, base, status } = loadImage(build, image.bytes, image.totalBytes);
  expect(status, `${build}: load, step ${core.failedStep()}`).toBe(Status.Ok);
  const memory = new Uint8Array(core.memory.buffer);
  const view = new DataView(core.memory.buffer);
  const io = base + view.getUint32(base + 32, true);
  for (const [i, data] of inputs.entries()) {
    memory.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), base + view.getUint32(io + i * 8, true));
  }
  const slack = memory.slice(base + image.totalBytes);
  expect(core.run()).toBe(Status.Ok);
  expect(
    Buffer.compare(memory.subarray(base + image.totalBytes), slack),
    `${build}: bytes past the model's memory`,
  ).toBe(0);
  expect(
    Buffer.compare(memory.subarray(base, base + image.bytes.length), image.bytes),
    `${build}: image unchanged`,
  ).toBe(0);
  return graph.outputs.map((id, i) => {
    const at = base + view.getUint32(io + (graph.inputs.length + i) * 8, true);
    return memory.slice(at, at + tensorBytes(graph.tensors[id]!));
  });
}

/** Checks the graph, evaluates it, packs it, and compares every build with the reference, byte for byte. Returns the outputs. */
export function expectConformance(graph: Graph, inputs: readonly TensorData[]): readonly TensorData[] {
  validateGraph(graph);
  const expected = evaluate(graph, inputs);
  if (isRecording) {
    record(graph, inputs, expected);
    return expected;
  }
  const image = buildImage(graph);
  for (const build of BUILDS) {
    for (const [i, got] of runImage(build, graph, image, inputs).entries()) {
      const want = expected[i]!;
      expectSameBytes(got, new Uint8Array(want.buffer, want.byteOffset, want.byteLength), `${build}: output ${i}`);
    }
  }
  return expected;
}

export function expectSameBytes(got: Uint8Array, want: Uint8Array, what: string): void {
  if (Buffer.compare(got, want) === 0) return;
  const first = got.findIndex((byte, i) => byte !== want[i]);
  const count = got.reduce((n, byte, i) => n + Number(byte !== want[i]), 0);
  expect.fail(
    `${what}: ${count} of ${want.length} bytes differ (got ${got.length}); first at ${first}: got ${got[first]}, want ${want[first]}`,
  );
}
