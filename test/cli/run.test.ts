// `mote run`: every kind of input file, what is printed, and what is written.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "fast-png";
import { describe, expect, it } from "vitest";
import { packGraph } from "../../tools/pack/pack.ts";
import { activation, singleNode } from "../support/graphs.ts";
import { tinyModel } from "../support/tinyModel.ts";
import { classifier, LABELS, thirdsPicture } from "./classifier.ts";
import { folder, mote } from "./command.ts";

const dir = folder();
const write = (name: string, bytes: Uint8Array | string): string => {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
};
const thirds = write("thirds.mote", classifier());
const png = (label: number): Uint8Array =>
  encode({ width: 8, height: 8, channels: 1, depth: 8, data: thirdsPicture(label) });
const pictures = LABELS.map((label, i) => write(`${label}.png`, png(i)));
const raw = write(
  "middle.bin",
  thirdsPicture(1).map((pixel) => pixel - 128),
);
const tiny = write("tiny.mote", tinyModel());

interface RunJson {
  readonly model: string;
  readonly build: string;
  readonly ms: number;
  readonly outputs: readonly {
    readonly name: string;
    readonly file?: string;
    readonly top: readonly { readonly index: number; readonly label: string | null; readonly score: number }[];
  }[];
}

describe("mote run", () => {
  it.each([...LABELS.keys()])("names the class of picture %i", async (label) => {
    const { status, stdout, stderr } = await mote("run", thirds, "--input", pictures[label]!);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const lines = stdout.split("\n");
    expect(lines[0]).toBe("scores: int8 1×3");
    expect(lines[1]).toMatch(/^ +class +label +score$/);
    expect(lines[2]).toMatch(new RegExp(`^ +${label} +${LABELS[label]} +3(\\.\\d+)?$`));
    expect(lines[5]).toMatch(/^\d+\.\d\d ms on the simd build$/);
  });

  it("writes outputs as raw bytes, and says so to a program", async () => {
    const out = join(dir, "deep", "out");
    const { status, stdout } = await mote(
      "run",
      thirds,
      "-i",
      `image=${raw}`,
      "-o",
      out,
      "--json",
      "--build",
      "scalar",
    );
    expect(status).toBe(0);
    const said = JSON.parse(stdout) as RunJson;
    expect(said).toMatchObject({ model: "thirds", build: "scalar", ms: expect.any(Number) });
    expect(said.outputs).toHaveLength(1);
    expect(said.outputs[0]).toMatchObject({
      name: "scores",
      shape: [1, 3],
      dtype: "int8",
      file: join(out, "out0.bin"),
    });
    expect(readdirSync(out)).toEqual(["out0.bin"]);
    const bytes = new Int8Array(readFileSync(join(out, "out0.bin")));
    const top = said.outputs[0]!.top;
    expect(top.map(({ label }) => label)).toEqual(["middle", "top", "bottom"]);
    for (const { index, score } of top) expect(score).toBe(Math.fround((bytes[index]! + 128) / 64));
  });

  it("gives the same bytes from a picture, an array and raw values", async () => {
    const header = `${"{'descr': '<f4', 'fortran_order': False, 'shape': (8, 8, 1), }".padEnd(117)}\n`;
    const real = Float32Array.from(thirdsPicture(1), (pixel) => pixel / 255);
    const start = Uint8Array.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length, 0]);
    const npy = write("middle.npy", Buffer.concat([start, Buffer.from(header), new Uint8Array(real.buffer)]));
    const misnamed = write("middle.data", png(1));
    const outputs = await Promise.all(
      [pictures[1]!, npy, raw, misnamed].map(async (file, i) => {
        const out = join(dir, `same${i}`);
        expect(await mote("run", thirds, "-i", file, "-o", out)).toMatchObject({ status: 0, stderr: "" });
        return readFileSync(join(out, "out0.bin"), "hex");
      }),
    );
    expect(new Set(outputs).size).toBe(1);
  });

  it("reads and writes float32 where that is the model's interface, and has no classes to show", async () => {
    const input = write("x.bin", new Uint8Array(Float32Array.from({ length: 12 }, (_, i) => i).buffer));
    const { status, stdout } = await mote("run", tiny, "-i", input, "-o", dir);
    expect(status).toBe(0);
    expect(stdout).toContain(`y: float32 1×3×4 → ${join(dir, "out0.bin")}\n  min `);
    expect(readFileSync(join(dir, "out0.bin"))).toHaveLength(48);
  });

  it("says when a picture was resized", async () => {
    const big = write("big.png", encode({ width: 16, height: 24, channels: 3, depth: 8, data: new Uint8Array(1152) }));
    const { status, stderr } = await mote("run", thirds, "-i", big);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "big.png: 16×24 pixels resized to 8×8\n" });
  });
});

describe("mote run with several inputs", () => {
  const graph = singleNode(
    { op: "sub", attrs: { activation: "none" } },
    [activation("a", [1, 2], 1, 0), activation("b", [1, 2], 1, 0)],
    [activation("y", [1, 2], 1, 0)],
  );
  const sub = write("sub.mote", packGraph(graph, { source: "sub", sourceBytes: new Uint8Array() }).bytes);
  const a = write("a.bin", Uint8Array.of(9, 7));
  const b = write("b.bin", Uint8Array.of(4, 1));

  it.each([
    ["in the model's order", ["-i", a, "-i", b]],
    ["in the model's order after one option", ["-i", a, b]],
    ["by name", ["-i", `b=${b}`, "-i", `a=${a}`]],
    ["some by name, the rest in order", ["-i", a, "-i", `b=${b}`]],
  ])("takes them %s", async (_, inputs) => {
    const { status } = await mote("run", sub, ...inputs, "-o", join(dir, "sub"));
    expect(status).toBe(0);
    expect([...readFileSync(join(dir, "sub", "out0.bin"))]).toEqual([5, 6]);
  });
});

describe("mote run refuses", () => {
  const refused = async (status: number, message: RegExp, ...words: readonly string[]): Promise<void> => {
    const got = await mote("run", ...words);
    expect(got).toMatchObject({ status, stdout: "" });
    expect(got.stderr).toMatch(message);
    expect(got.stderr).toMatch(/^mote: [^\n]*\n$/);
  };

  it("files that do not fit, and writes nothing", async () => {
    const out = join(dir, "never");
    const short = write("short.bin", new Uint8Array(63));
    await refused(1, /short\.bin must hold 64 bytes \(64 int8 elements\), got 63\./, thirds, "-i", short, "-o", out);
    await refused(1, /no\.png cannot be read: there is no such file/, thirds, "-i", join(dir, "no.png"), "-o", out);
    await refused(1, /thirds\.mote is none of PNG, JPEG, WAV and \.npy/, thirds, "-i", thirds, "-o", out);
    expect(existsSync(out)).toBe(false);
  });

  it("a picture for a model that does not take pictures, with the way to import it", async () => {
    const unknown = write("unknown.mote", classifier({ kind: "audio", sampleRate: 8000, gain: 1 }));
    await refused(
      1,
      /input "image", which is audio; import the model with --meaning "image=/,
      unknown,
      "-i",
      pictures[0]!,
    );
    await refused(1, /a picture needs a shape of height × width × 1 or 3, got 1×3×4/, tiny, "-i", pictures[0]!);
  });

  it("inputs that are missing or given twice", async () => {
    await refused(2, /No file is given for "image": add --input "image=FILE"\./, thirds);
    await refused(2, /Input "image" is given twice/, thirds, "-i", `image=${raw}`, "-i", `image=${raw}`);
    await refused(2, /is one too many or misnamed: the model has "image"\./, thirds, "-i", raw, `image=${raw}`);
  });

  it("an output folder that is a file, and leaves the file alone", async () => {
    const file = write("taken", "old");
    await refused(
      1,
      /The folder .*taken cannot be made: it exists and is not a folder\./,
      thirds,
      "-i",
      raw,
      "-o",
      file,
    );
    expect(readFileSync(file, "utf8")).toBe("old");
    const out = join(dir, "blocked");
    mkdirSync(join(out, "out0.bin"), { recursive: true });
    await refused(1, /out0\.bin cannot be written: it is a folder\./, thirds, "-i", raw, "-o", out);
    expect(readdirSync(out)).toEqual(["out0.bin"]);
  });
});
