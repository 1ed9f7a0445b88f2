// Whatever the bytes: a model whose ports are in range, or a MoteError, soon. Every case is drawn from a
// seed that a failure names.
import { describe, expect, it } from "vitest";
import { ABI_VERSION, Plan } from "../../assembly/abi.ts";
import { chooseCore } from "../../host/core.ts";
import { MoteError } from "../../host/errors.ts";
import { crc32c } from "../../host/format/crc32c.ts";
import { openSession } from "../../host/session.ts";
import { encodeHeader, joinSections } from "../../tools/pack/file.ts";
import { CORE } from "../support/core.ts";
import { fileOf, refusal, survive } from "../support/hostile.ts";
import { Random } from "../support/random.ts";
import { TINY, tinyContent, tinyModel } from "../support/tinyModel.ts";

const content = tinyContent();
const whole = tinyModel();
const header = encodeHeader(content.header);
const vectors = Uint8Array.from([...content.selfTest.inputs[0]!, ...content.selfTest.outputs[0]!]);
const EDGE_WORDS = [0, 1, 2, 3, 4, 12, 64, 511, 512, 640, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff];

/** One to four edits from `from` to before `to`: a bit, a byte or an aligned word. */
function damage(seed: number, bytes: Uint8Array, from = 0, to = bytes.length): Uint8Array {
  // neighbouring seeds draw alike at first, so they are spread out
  const random = new Random(Math.imul(seed + 1, 0x85ebca6b));
  const damaged = bytes.slice();
  for (let edits = random.integer(1, 4); edits > 0; edits--) {
    const at = random.integer(from, to - 1);
    const kind = random.integer(0, 2);
    if (kind === 0) damaged[at]! ^= 1 << random.integer(0, 7);
    else if (kind === 1) damaged[at] = random.word();
    else if ((at | 3) < to) {
      const value = random.integer(0, 1) ? EDGE_WORDS[random.integer(0, EDGE_WORDS.length - 1)]! : random.word();
      new DataView(damaged.buffer).setUint32(at & ~3, value, true);
    }
  }
  return damaged;
}

describe("a damaged file", () => {
  it("is refused wherever it is cut", () => {
    for (let length = 0; length < whole.length; length++)
      if (survive(whole.subarray(0, length), `cut at ${length}`)) expect.fail(`cut at ${length} was accepted`);
  });

  it("is refused when it is longer", () => {
    const longer = new Uint8Array(whole.length + 64);
    longer.set(whole);
    expect(refusal(longer).message).toContain(`file size must be ${whole.length}, got ${longer.length}`);
  });

  it("is refused for every flipped bit", () => {
    const accepted: number[] = [];
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const flipped = whole.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      if (survive(flipped, `bit ${bit}`)) accepted.push(bit >> 3);
    }
    expect(accepted).toEqual([]);
  });

  it("is refused or sound after random edits, 4,000 seeds", () => {
    for (let seed = 0; seed < 4000; seed++) survive(damage(seed, whole), `seed ${seed}`);
  });
});

describe("a damaged file whose checksums are right", () => {
  it("gives a sound header or a MoteError, 6,000 seeds", () => {
    let accepted = 0;
    for (let seed = 0; seed < 6000; seed++) {
      const file = joinSections([damage(seed, header), content.image, vectors]);
      if (survive(file, `seed ${seed}`)) accepted++;
    }
    // edits of text and of numbers that are only shown pass
    expect(accepted).toBeGreaterThan(100);
    expect(accepted).toBeLessThan(5000);
  });

  it("gives a plan that the core refuses or runs inside its memory, 3,000 seeds", async () => {
    const core = await chooseCore(CORE);
    let ran = 0;
    for (let seed = 0; seed < 3000; seed++) {
      const file = survive(joinSections([header, damage(seed, content.image, 0, TINY.table), vectors]), `seed ${seed}`);
      if (!file) continue;
      try {
        (await openSession(file, core)).selfTest();
        ran++;
      } catch (error) {
        if (!(error instanceof MoteError)) throw new Error(`seed ${seed}: ${String(error)}`);
        expect(error.message, `seed ${seed}`).not.toContain("stopped");
      }
    }
    expect(ran).toBeGreaterThan(100);
  });

  it("is refused when the sections lie elsewhere, 2,000 seeds", () => {
    for (let seed = 0; seed < 2000; seed++) {
      const file = damage(seed, whole, 4, 60);
      new DataView(file.buffer).setUint32(60, crc32c(file.subarray(0, 60)), true);
      survive(file, `seed ${seed}`);
    }
  });
});

describe("a hostile header field", () => {
  const HOSTILE: readonly unknown[] = [
    ...[NaN, Infinity, -Infinity, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, 1e-60, 1e300, -0],
    ...["", "__proto__", "constructor", "x".repeat(70_000), null, true, [], {}, [[]], [null], [-1], [2 ** 60, 2 ** 60]],
  ];

  /** Every path to a value inside `value`. */
  function paths(value: unknown, prefix: readonly string[] = []): string[][] {
    if (typeof value !== "object" || value === null) return [[...prefix]];
    return [[...prefix], ...Object.entries(value).flatMap(([key, field]) => paths(field, [...prefix, key]))];
  }

  /** A copy with the value at `path` replaced, or removed when it is `undefined`. */
  function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
    if (key === undefined) return by;
    if (Array.isArray(value)) return value.map((item, i) => (`${i}` === key ? replaced(item, rest, by) : item));
    const map = value as Record<string, unknown>;
    return { ...map, [key]: replaced(map[key], rest, by) };
  }

  it.each(paths(content.header).map((path) => [path.join("."), path] as const))("%s", (at, path) => {
    for (const value of [undefined, ...HOSTILE]) {
      const file = survive(fileOf(content, replaced(content.header, path, value)), `${at} = ${String(value)}`);
      if (!file) continue;
      for (const port of [...file.header.inputs, ...file.header.outputs]) {
        expect(port.name).not.toBe("");
        if (port.scale !== undefined) expect(Math.fround(port.scale)).toBeGreaterThan(0);
      }
    }
  });
});

describe("every deep check has its sentence", () => {
  const { inputs, memory, steps } = content.header;
  const [x] = inputs;
  it.each<readonly [string, unknown, string]>([
    ["not a map", 5, "header must be a map, got 5"],
    ["a name of nothing", { inputs: [{ ...x, name: "" }] }, "header.inputs[0].name must be a name"],
    ["a name twice", { inputs: [x, x] }, 'header.inputs must be uniquely named, got "x"'],
    ["a dimension of 0", { inputs: [{ ...x, shape: [0] }] }, "header.inputs[0].shape[0] must be a dimension, got 0"],
    ["another size", { inputs: [{ ...x, shape: [13] }] }, 'port "x" bytes must be 13, got 12'],
    ["a wider storage", { inputs: [{ ...x, storage: "int16" }] }, 'port "x" bytes must be 24, got 12'],
    ["an unknown dtype", { inputs: [{ ...x, dtype: "int4" }] }, 'header.inputs[0].dtype must be a dtype, got "int4"'],
    ["an inherited dtype", { inputs: [{ ...x, dtype: "valueOf" }] }, "dtype must be a dtype"],
    ["two integer dtypes", { inputs: [{ ...x, dtype: "uint8" }] }, 'storage must be uint8, got "int8"'],
    ["a scale of 0", { inputs: [{ ...x, scale: 0 }] }, "scale must be a positive float32, got 0"],
    ["a scale below float32", { inputs: [{ ...x, scale: 1e-60 }] }, "scale must be a positive float32"],
    ["no scale", { inputs: [{ ...x, scale: undefined }] }, "scale must be given, got undefined"],
    [
      "a zero point out of range",
      { inputs: [{ ...x, zeroPoint: 128 }] },
      "zeroPoint must be an integer of int8, got 128",
    ],
    ["a zero point between", { inputs: [{ ...x, zeroPoint: 0.5 }] }, "zeroPoint must be an integer of int8, got 0.5"],
    ["too few labels", { inputs: [{ ...x, labels: ["a"] }] }, "labels must be 4 labels, got 1"],
    ["an unknown meaning", { inputs: [{ ...x, meaning: { kind: "smell" } }] }, "meaning.kind must be image or audio"],
    [
      "an image without std",
      { inputs: [{ ...x, meaning: { kind: "image", mean: 0 } }] },
      "meaning.std must be a positive",
    ],
    ["another memory", { memory: { ...memory, totalBytes: 704 } }, "header.memory.totalBytes must be 640, got 704"],
    ["another arena", { memory: { ...memory, arenaBytes: 64 } }, "header.memory.arenaBytes must be 128, got 64"],
    ["another image", { memory: { ...memory, imageBytes: 64 } }, "header.memory.imageBytes must be 512, got 64"],
    ["no steps", { steps: [] }, "plan step count must be 0, got 1"],
    ["a slot of three", { steps: [{ ...steps[0], outputSlot: [1, 2, 3] }] }, "steps[0].outputSlot must be two numbers"],
    ["MACs below 0", { steps: [{ ...steps[0], macs: -1 }] }, "header.steps[0].macs must be a count, got -1"],
    ["no outputs", { outputs: [] }, "plan output count must be 0, got 1"],
  ])("%s", (_, change, sentence) => {
    const changed = typeof change === "object" ? { ...content.header, ...change } : change;
    const error = refusal(fileOf(content, changed));
    expect(error.code).toBe("BAD_MODEL");
    expect(error.message).toContain(sentence);
  });

  it.each<readonly [string, number, number, string]>([
    ["a plan larger than its section", Plan.ImageBytes, 576, "plan image bytes must be 512, got 576"],
    ["less memory than the image", Plan.TotalBytes, 448, "plan total bytes must be 512 … 2³⁰, got 448"],
    ["more than 1 GiB", Plan.TotalBytes, 2 ** 30 + 1, "plan total bytes must be 512 … 2³⁰, got 1073741825"],
    ["steps past the image", Plan.StepOffset, 388, "plan step offset must be inside the image, got 388"],
    ["steps off a word", Plan.StepOffset, 130, "plan step offset must be inside the image, got 130"],
    ["io records past the image", Plan.IoOffset, 0xfffffffc, "plan io offset must be inside the image"],
    ["a port in the image", TINY.io / 4, 256, 'port "x" offset must be inside the arena, got 256'],
    ["a port past the end", TINY.io / 4, 632, 'port "x" offset must be inside the arena, got 632'],
    ["a port past 2³²", TINY.io / 4, 0xfffffffc, 'port "x" offset must be inside the arena, got 4294967292'],
    ["another port size", TINY.io / 4 + 1, 16, 'port "x" bytes must be 12, got 16'],
  ])("%s", (_, word, value, sentence) => {
    const image = content.image.slice();
    new DataView(image.buffer).setUint32(word * 4, value, true);
    expect(refusal(joinSections([header, image, vectors])).message).toContain(sentence);
  });

  it("a self-test of another length, and an image of less than a plan", () => {
    expect(refusal(joinSections([header, content.image, vectors.subarray(1)])).message).toContain(
      "self-test bytes must be 24, got 23",
    );
    expect(refusal(joinSections([header, content.image.subarray(0, 60), vectors])).message).toContain("plan size");
  });
});

describe("hostile msgpack", () => {
  const text = (s: string): number[] => [0xa0 | s.length, ...new TextEncoder().encode(s)];
  const repeat = (count: number, ...bytes: number[]): number[] => Array.from({ length: count }, () => bytes).flat();
  it.each<readonly [string, readonly number[], string]>([
    ["nothing", [], "cut short"],
    ["an array of 2³² − 1", [0xdd, 0xff, 0xff, 0xff, 0xff], "cut short"],
    ["a map of 2³² − 1", [0xdf, 0xff, 0xff, 0xff, 0xff, 0xa1, 0x61, 1], "cut short"],
    ["a text of 2³² − 1", [0xdb, 0xff, 0xff, 0xff, 0xff], "length is wrong"],
    ["100,000 arrays deep", repeat(100_000, 0x91), "too deep"],
    ["100,000 maps deep", repeat(100_000, 0x81, 0xa0), "too deep"],
    ["a record definition", [0xd4, 0x72, 0x40, 0x91, ...text("a"), 1], "type 212"],
    ["a regular expression", [0xc7, 0, 0x78, 0x92, ...text("a"), ...text("g")], "type 199"],
    ["a reference", [0xd6, 0x69, 0, 0, 0, 1, 0x90], "type 214"],
    ["bundled strings", [0xc7, 4, 0x62, 0, 0, 0, 4, 0xa1, 0x61], "type 199"],
    ["a date", [0xd6, 0xff, 0, 0, 0, 0], "type 214"],
    ["binary", [0xc4, 1, 0], "type 196"],
    ["a 64-bit integer", [0xcf, 0, 0, 0, 0, 0, 0, 0, 1], "type 207"],
    ["the unused type", [0xc1], "type 193"],
    ["a key that is a number", [0x81, 1, 1], "a key is not a string"],
    ["a key that is a list", [0x81, 0x90, 1], "a key is not a string"],
    ["a second value", [0x80, 0x80], "length is wrong"],
    [
      "a key of __proto__",
      [0x81, ...text("__proto__"), 0x81, ...text("name"), ...text("n")],
      "header.name must be a string",
    ],
    ["a field twice", [0x82, ...text("name"), 1, ...text("name"), 2], "header.name must be a string, got 2"],
    ["text that is not UTF-8", [0x81, 0xa4, 0xff, 0xfe, 0xc0, 0x80, 1], "header.name must be a string"],
  ])("%s", (_, bytes, sentence) => {
    const error = refusal(joinSections([Uint8Array.from(bytes), content.image, vectors]));
    expect(error.code).toBe("BAD_MODEL");
    expect(error.message).toContain(sentence);
    expect(({} as { name?: unknown }).name).toBeUndefined();
  });

  it("takes time linear in its bytes", () => {
    const flat = Uint8Array.from([0xdd, 0, 0x40, 0, 0, ...new Uint8Array(0x400000)]);
    const started = performance.now();
    expect(refusal(joinSections([flat, content.image, vectors])).message).toContain("header must be a map");
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe("versions", () => {
  const edit = (image: Uint8Array, word: number, value: number): Uint8Array => {
    const copy = image.slice();
    new DataView(copy.buffer).setUint32(word * 4, value, true);
    return copy;
  };
  const plan = (word: number, value: number): Uint8Array =>
    joinSections([header, edit(content.image, word, value), vectors]);

  it("say what is needed, what is read, and what to do", () => {
    const next = whole.slice();
    next[4] = 2;
    expect(refusal(next)).toMatchObject({
      code: "VERSION",
      message: "The model needs format 2, this runtime reads 1: update mote-runtime.",
    });
    next[4] = 0;
    expect(refusal(next).message).toBe(
      "The model needs format 0, this runtime reads 1: pack the model again with this release.",
    );
    expect(refusal(plan(Plan.AbiVersion, ABI_VERSION + 1))).toMatchObject({
      code: "VERSION",
      message: `The model needs plan version ${ABI_VERSION + 1}, this runtime reads ${ABI_VERSION}: update mote-runtime.`,
    });
    expect(refusal(plan(Plan.NumericsVersion, 9)).message).toBe(
      "The model needs numerics version 9, this runtime reads 1: update mote-runtime.",
    );
  });

  it("are not guessed in what is not a model", () => {
    expect(refusal(new TextEncoder().encode("<!doctype html>".repeat(9))).message).toBe(
      'Not a .mote file: 135 bytes that do not start with "MOTE".',
    );
    expect(refusal(new Uint8Array(0)).message).toBe('Not a .mote file: 0 bytes that do not start with "MOTE".');
  });
});
