// What mote.wasm owes to whoever calls it, on any engine: bytes, exit statuses, sentences; never a trap.
// Invariant: everything is asked through the engine's command line, in a folder of its own.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { crc32c } from "../../host/format/crc32c.ts";
import { compileModel } from "../../tools/compile/compile.ts";
import { StreamReference } from "../../tools/evaluate/reference.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { Random } from "../support/random.ts";
import { delayGraph, FRAME } from "../support/streamModel.ts";
import { type Run, type RunOptions, runWasi, type WasiEngine, wasiModule } from "./runner.ts";

const STEPS = 12;
const OUTPUTS = 7;

const random = new Random(7);
const frames = random.int8(STEPS * FRAME);
const input = new Uint8Array(frames.buffer);

function expectedOutputs(): Uint8Array {
  const reference = new StreamReference(delayGraph());
  const outputs = Array.from({ length: STEPS }, (_, i) =>
    reference.run([frames.slice(i * FRAME, (i + 1) * FRAME)]).map((data) => Buffer.from(data.buffer)),
  );
  return Buffer.concat(outputs.flat());
}

/** `model` with one byte of its image changed, and the checksums made right if `resealed`. */
function tampered(model: Uint8Array, at: number, resealed: boolean): Uint8Array {
  const copy = model.slice();
  const view = new DataView(copy.buffer);
  const [offset, bytes] = [view.getUint32(24, true), view.getUint32(28, true)];
  copy[offset + at]! ^= 0x40;
  if (resealed) {
    view.setUint32(32, crc32c(copy.subarray(offset, offset + bytes)), true);
    view.setUint32(60, crc32c(copy.subarray(0, 60)), true);
  }
  return copy;
}

/** The tests of one engine with one build of the command. */
export function describeBehaviour(engine: WasiEngine, build: "simd" | "scalar"): void {
  describe(`mote.wasm on ${engine.name}, ${build}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "mote-wasi-"));
    const module = wasiModule(build === "simd" ? "mote" : "mote-scalar");
    const at = (name: string): string => join(folder, name);
    const model = packGraph(delayGraph(), { source: "test", sourceBytes: new Uint8Array() }).bytes;
    const expected = expectedOutputs();
    const run = (args: readonly string[], options?: RunOptions): Run => runWasi(engine, module, folder, args, options);
    /** The status, and what it says; the engine itself may add lines, and names the same error by its own number. */
    const said = (result: Run) => ({
      status: result.status,
      text: /^mote: .*$/m.exec(result.stderr)?.[0].replace(/errno \d+/, "errno"),
    });

    beforeAll(() => {
      writeFileSync(at("m.mote"), model);
      writeFileSync(at("in.bin"), input);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("runs one frame from stdin to stdout", () => {
      const result = run(["m.mote"], { stdin: input.subarray(0, FRAME) });
      expect(result).toMatchObject({ status: 0, stderr: "" });
      expect(Buffer.compare(result.stdout, expected.subarray(0, OUTPUTS))).toBe(0);
    });

    it("runs a stream, and takes the model from stdin, too", () => {
      const result = run(["--stream", "-"], { stdin: Buffer.concat([model, input]) });
      expect(result).toMatchObject({ status: 0, stderr: "" });
      expect(Buffer.compare(result.stdout, expected)).toBe(0);
    });

    it("reads and writes files, and leaves nothing else behind", () => {
      expect(run(["--stream", "m.mote", "in.bin", "out.bin"])).toMatchObject({ status: 0, stderr: "" });
      expect(Buffer.compare(readFileSync(at("out.bin")), expected)).toBe(0);
      expect(existsSync(at("out.bin.new"))).toBe(false);
    });

    it("goes on from a saved state with the bytes of the whole stream", () => {
      const half = (STEPS / 2) * FRAME;
      rmSync(at("s.state"), { force: true });
      const first = run(["--stream", "--state", "s.state", "m.mote"], { stdin: input.subarray(0, half) });
      const second = run(["--stream", "--state", "s.state", "m.mote"], { stdin: input.subarray(half) });
      expect([first, second]).toMatchObject([
        { status: 0, stderr: "" },
        { status: 0, stderr: "" },
      ]);
      expect(Buffer.compare(Buffer.concat([first.stdout, second.stdout]), expected)).toBe(0);
    });

    it("runs what mote compile makes, and keeps its state", async () => {
      const compiled = at(`compiled-${build}.wasm`);
      writeFileSync(compiled, (await compileModel(model, { build })).bytes);
      const half = (STEPS / 2) * FRAME;
      rmSync(at("c.state"), { force: true });
      const runs = [input.subarray(0, half), input.subarray(half)].map((stdin) =>
        runWasi(engine, compiled, folder, ["--stream", "--state", "c.state"], { stdin }),
      );
      expect(runs.map(({ status, stderr }) => ({ status, stderr }))).toEqual([
        { status: 0, stderr: "" },
        { status: 0, stderr: "" },
      ]);
      expect(Buffer.compare(Buffer.concat(runs.map(({ stdout }) => stdout)), expected)).toBe(0);
    });

    it.each<[string, readonly string[], RunOptions, number, string]>([
      ["no model", [], {}, 2, "mote: no model is given: see --help"],
      ["an unknown option", ["--fast", "m.mote"], {}, 2, "mote: --fast is no option, or lacks its file: see --help"],
      ["a missing model", ["none.mote"], {}, 3, "mote: none.mote does not exist"],
      ["a missing input", ["m.mote", "none.bin"], {}, 3, "mote: none.bin does not exist"],
      ["no input", ["m.mote"], {}, 6, "mote: the input is short: 0 of 5 bytes"],
      ["a short input", ["m.mote"], { stdin: input.subarray(0, 3) }, 6, "mote: the input is short: 3 of 5 bytes"],
      [
        "a long input",
        ["m.mote"],
        { stdin: input },
        6,
        "mote: the input is longer than the 5 bytes of one frame: add --stream for many",
      ],
      [
        "a stream cut inside a frame",
        ["--stream", "m.mote"],
        { stdin: input.subarray(0, FRAME + 2) },
        6,
        "mote: the input ends inside a frame, after 2 of its 5 bytes",
      ],
      [
        "a full disk",
        ["m.mote"],
        { stdin: input.subarray(0, FRAME), stdoutFile: "/dev/full" },
        7,
        "mote: the output cannot be written: errno",
      ],
      ["an input for a model", ["in.bin"], {}, 4, "mote: the model is no .mote file: it does not start with MOTE"],
      [
        "a state that is none",
        ["--state", "in.bin", "m.mote"],
        { stdin: input.subarray(0, FRAME) },
        8,
        "mote: the state is no saved state: it does not start with MOST",
      ],
    ])("says what is wrong: %s", (_, args, options, status, text) => {
      expect(said(run(args, options))).toEqual({ status, text });
    });

    it("refuses a truncated, altered or hostile model", () => {
      const refusals = [1, 63, 64, 200, model.length - 1].map((bytes) => {
        writeFileSync(at("bad.mote"), model.subarray(0, bytes));
        return said(run(["bad.mote"], { stdin: input }));
      });
      expect(refusals.map(({ status }) => status)).toEqual([4, 4, 4, 4, 4]);
      expect(refusals.at(-1)!.text).toBe(
        `mote: truncated model: it ends after ${model.length - 1} of ${model.length} bytes`,
      );
      writeFileSync(at("bad.mote"), tampered(model, 40, false));
      expect(said(run(["bad.mote"])).text).toBe(
        "mote: damaged model: a section has another CRC; fetch or pack it again",
      );
      // whatever is changed in the plan's header, steps and records: a refusal or an answer, never a trap
      const outcomes = Array.from({ length: 24 }, (_, i) => {
        writeFileSync(at("bad.mote"), tampered(model, i * 13, true));
        return run(["bad.mote"], { stdin: input.subarray(0, FRAME) }).status;
      });
      expect(outcomes.filter((status) => ![0, 4, 5, 6].includes(status ?? -1))).toEqual([]);
    });
  });
}
