// The vectors: models with inputs and the outputs that every engine must give. The project's own: its digits with
// XNNPACK's outputs, a stream with state, and what the tests of the operators make (record.ts), so that every
// operator with every kernel is there. Where ../shared/data is: published models with XNNPACK's outputs.
// Invariant: expected outputs are the reference's or XNNPACK's, never of a build of the core.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { StreamReference } from "../../tools/evaluate/reference.ts";
import { importModel } from "../../tools/import/index.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { ENGINES } from "../engines/find.ts";
import { modelCases } from "../golden/goldens.ts";
import { Random } from "../support/random.ts";
import { sharedData } from "../support/sharedData.ts";
import { files, root } from "../support/sources.ts";
import { delayGraph, FRAME } from "../support/streamModel.ts";

export interface Vector {
  readonly name: string;
  readonly model: Uint8Array;
  /** the bytes of the inputs, of one run after another */
  readonly input: Uint8Array;
  readonly output: Uint8Array;
}

/** The vectors as files: index.json, blob.bin, and NAME.mote, NAME.in, NAME.out of each. */
export interface VectorSet {
  readonly folder: string;
  readonly names: readonly string[];
  /** the model whose time is compared, if times are wanted */
  readonly timed?: string;
  output(name: string): Uint8Array;
}

const FOLDER = join(ENGINES, "vectors");
const RECORDED = join(ENGINES, "recorded");
const STREAM_STEPS = 40;
const SHARED_CASES = 3;
const SHARED: readonly string[] = [
  ...["kws_ref_model", "vww_96_int8", "pretrainedResnet_quant", "ad01_int8", "str_ww_ref_model"],
  ...["person_detect", "simple_add_model", "split_concat"],
];

const read = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

function digits(): Vector {
  const at = (name: string): string => join(root, "models/digits", name);
  return {
    name: "digits",
    model: read(at("digits.mote")),
    input: read(at("golden/inputs.bin")),
    output: read(at("golden/outputs.xnnpack.bin")),
  };
}

function stream(): Vector {
  const random = new Random(7);
  const graph = delayGraph();
  const reference = new StreamReference(graph);
  const frames = Array.from({ length: STREAM_STEPS }, () => random.int8(FRAME));
  const outputs = frames.flatMap((frame) => reference.run([frame]).map((data) => Buffer.from(data.buffer)));
  return {
    name: "stream",
    model: packGraph(graph, { source: "test", sourceBytes: new Uint8Array() }).bytes,
    input: Buffer.concat(frames.map((frame) => Buffer.from(frame.buffer))),
    output: Buffer.concat(outputs),
  };
}

/** Of all that decides what the tests of the operators make. */
function stamp(): string {
  const hash = createHash("sha256");
  for (const path of files.filter((each) => /^(assembly\/abi|tools\/|test\/(ops|support|conformance)\/)/.test(each)))
    hash.update(path).update(readFileSync(join(root, path)));
  return hash.digest("hex");
}

/**
 * Has the tests of the operators record what they make, unless nothing has changed since they did. Not waited for
 * in place: a test runner asks now and then whether its worker is alive.
 */
async function recorded(): Promise<Vector[]> {
  const stampFile = join(RECORDED, "stamp");
  if (!existsSync(stampFile) || readFileSync(stampFile, "utf8") !== stamp()) {
    rmSync(RECORDED, { recursive: true, force: true });
    mkdirSync(RECORDED, { recursive: true });
    await promisify(execFile)(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", "test/ops"], {
      cwd: root,
      env: { ...process.env, MOTE_VECTORS: RECORDED, CI: "" },
      maxBuffer: 2 ** 26,
    });
    writeFileSync(stampFile, stamp());
  }
  const names = readdirSync(RECORDED).filter((name) => name.endsWith(".mote"));
  return names.sort().map((file) => {
    const path = join(RECORDED, basename(file, ".mote"));
    return {
      name: basename(path),
      model: read(`${path}.mote`),
      input: read(`${path}.in`),
      output: read(`${path}.out`),
    };
  });
}

function shared(): Vector[] {
  if (sharedData === undefined) return [];
  const data = sharedData;
  return SHARED.filter((name) => existsSync(join(data, "models", `${name}.tflite`))).map((name) => {
    const sourceBytes = read(join(data, "models", `${name}.tflite`));
    const model = packGraph(importModel(sourceBytes, `${name}.tflite`), { source: name, sourceBytes }).bytes;
    const cases = modelCases(data, name).slice(0, SHARED_CASES);
    return {
      name,
      model,
      input: Buffer.concat(cases.flatMap(({ inputs }) => inputs)),
      output: Buffer.concat(cases.flatMap(({ outputs }) => outputs.map((engines) => engines.xnnpack!))),
    };
  });
}

/** Gathers all vectors and lays them out under `.engines/vectors`. */
export async function gatherVectors({ timed = true } = {}): Promise<VectorSet> {
  const vectors = [digits(), stream(), ...shared(), ...(await recorded())];
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  let end = 0;
  const parts: Uint8Array[] = [];
  const place = (bytes: Uint8Array): number[] => {
    parts.push(bytes);
    end += bytes.length;
    return [end - bytes.length, end];
  };
  const index = vectors.map(({ name, model, input, output }) => {
    writeFileSync(join(FOLDER, `${name}.mote`), model);
    writeFileSync(join(FOLDER, `${name}.in`), input);
    writeFileSync(join(FOLDER, `${name}.out`), output);
    return { name, model: place(model), input: place(input), output: place(output) };
  });
  writeFileSync(join(FOLDER, "index.json"), JSON.stringify(index));
  writeFileSync(join(FOLDER, "blob.bin"), Buffer.concat(parts));
  const outputs = new Map(vectors.map(({ name, output }) => [name, output]));
  return {
    folder: FOLDER,
    names: vectors.map(({ name }) => name),
    ...(timed && { timed: outputs.has("kws_ref_model") ? "kws_ref_model" : "digits" }),
    output: (name) => outputs.get(name)!,
  };
}
