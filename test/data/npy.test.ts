// .npy files: what NumPy writes is read, all else is refused with a sentence.
import { describe, expect, it } from "vitest";
import { readNpy } from "../../tools/data/npy.ts";
import { npyFile, npyHeader } from "./npyFile.ts";

describe("readNpy", () => {
  it.each([
    ["|i1", Int8Array.of(-128, 127)],
    ["|u1", Uint8Array.of(0, 255)],
    ["<i2", Int16Array.of(-32768, 32767)],
    ["<i4", Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
    ["<f4", Float32Array.of(0.1, Number.NaN)],
  ])("reads %s as it is", (descr, data) => {
    expect(readNpy(npyFile(npyHeader(descr, "(1, 2)"), data), "x.npy")).toEqual({ shape: [1, 2], data });
  });

  it("rounds float64 to float32", () => {
    const file = npyFile(npyHeader("<f8", "(2,)"), Float64Array.of(0.1, -1e300));
    expect(readNpy(file, "x.npy").data).toEqual(Float32Array.of(0.1, -Infinity));
  });

  it("reads version 2.0, any order of the fields, a scalar, an empty array, and an unaligned file", () => {
    const one = Float32Array.of(7);
    expect(readNpy(npyFile(npyHeader("<f4", "(1, 1, 1)"), one, 2), "x").shape).toEqual([1, 1, 1]);
    const swapped = "{'shape': (1,), 'fortran_order': False, 'descr': '<f4'}";
    expect(readNpy(npyFile(swapped, one), "x")).toEqual({ shape: [1], data: one });
    expect(readNpy(npyFile(npyHeader("<f4", "()"), one), "x")).toEqual({ shape: [], data: one });
    expect(readNpy(npyFile(npyHeader("<f4", "(0, 3)"), new Float32Array(0)), "x").shape).toEqual([0, 3]);
    const odd = new Uint8Array([0, ...npyFile(npyHeader("<f4", "(1,)"), one)]).subarray(1);
    expect(readNpy(odd, "x").data).toEqual(one);
  });

  const bytes = new Uint8Array(4);
  const long = npyHeader("|u1", `(${"1, ".repeat(40)}4,)`);
  it.each([
    ["another magic", Buffer.from("PNUMPY\x01\x00 and more of it"), /is not an \.npy file/],
    ["nothing", new Uint8Array(0), /is not an \.npy file/],
    ["version 3.0", npyFile(npyHeader("|u1", "(4,)"), bytes, 3), /must be \.npy version 1\.0 or 2\.0, got 3\.0/],
    ["a cut header", npyFile(npyHeader("|u1", "(4,)"), bytes).subarray(0, 40), /ends inside its header/],
    ["big-endian elements", npyFile(npyHeader(">f4", "(1,)"), bytes), /has dtype >f4, expected one of \|i1 /],
    ["64-bit integers", npyFile(npyHeader("<i8", "(1,)"), bytes), /has dtype <i8/],
    ["a name that every object has", npyFile(npyHeader("toString", "(1,)"), bytes), /has dtype toString/],
    ["Fortran order", npyFile(npyHeader("|u1", "(2, 2)").replace("False", "True"), bytes), /is in Fortran order/],
    ["records", npyFile("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", bytes), /must say descr/],
    ["no shape", npyFile("{'descr': '|u1', 'fortran_order': False, }", bytes), /must say descr/],
    ["no dictionary", npyFile("import os", bytes), /must say descr/],
    ["too few elements", npyFile(npyHeader("|u1", "(5,)"), bytes), /must hold 5 bytes for \|u1 of shape \(5\), got 4/],
    ["too many elements", npyFile(npyHeader("<f4", "()"), new Uint8Array(5)), /must hold 4 bytes/],
    ["a shape beyond numbers", npyFile(npyHeader("|u1", `(${"9".repeat(400)},)`), bytes), /must hold Infinity bytes/],
    ["a shape with a gap", npyFile(npyHeader("|u1", "(4 4)"), bytes), /must hold NaN bytes/],
  ])("refuses %s", (_, file, message) => {
    expect(() => readNpy(file, "x.npy")).toThrow(expect.objectContaining({ name: "ToolError", code: "BAD_FILE" }));
    expect(() => readNpy(file, "x.npy")).toThrow(message);
  });

  it("reads a header of any length in linear time", () => {
    expect(readNpy(npyFile(long, bytes), "x").shape).toHaveLength(41);
    const started = performance.now();
    const spaces = npyFile(`{${" ".repeat(60_000)}x`, bytes);
    expect(() => readNpy(spaces, "x")).toThrow(/must say descr/);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
