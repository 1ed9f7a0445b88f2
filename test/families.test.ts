// The byte budget of each family of operators in the core. Invariant: every function of the core belongs to a
// family, the families of the first operators share 64 KiB, all together 128 KiB. Small functions that the compiler
// puts into the plan's walk count there.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { functionSizes } from "./support/functionSizes.ts";

const KIB = 1024;

interface Family {
  readonly name: string;
  /** bytes of code in the simd and the relaxed build */
  readonly budget: number;
  /** files of assembly/, without the ending */
  readonly files: readonly string[];
}

const FIRST: readonly Family[] = [
  // the walk has two cases for each step of every family
  { name: "plan", budget: 11 * KIB, files: ["index", "execute", "memory", "simd/relaxedTest", "simd/machine"] },
  {
    name: "products of matrices",
    budget: 18 * KIB,
    files: [
      "simd/gemm",
      "simd/gemmNarrow",
      "simd/finish",
      "simd/gemmRelaxed",
      "simd/gemm1Relaxed",
      "simd/relaxedLanes",
      "simd/tiles",
      "simd/wideRows",
      "simd/columnSums",
      "simd/packColumns",
      "numeric/requantize",
      "numeric/blocks",
      "numeric/wideSums",
    ],
  },
  { name: "conv2d", budget: 9.5 * KIB, files: ["ops/conv2d", "ops/conv2d16", "simd/rowRing"] },
  { name: "Winograd", budget: 8 * KIB, files: ["ops/conv2dWinograd", "simd/extmul16"] },
  { name: "depthwise", budget: 8 * KIB, files: ["ops/depthwiseConv2d", "simd/planes"] },
  { name: "transposed", budget: 4 * KIB, files: ["ops/transposedConv2d"] },
  { name: "dense", budget: 4.5 * KIB, files: ["ops/fullyConnected", "ops/fullyConnected16", "ops/batchMatmul"] },
  {
    name: "pools and means",
    budget: 3.5 * KIB,
    files: ["ops/averagePool2d", "ops/maxPool2d", "ops/poolWindow", "ops/mean"],
  },
  {
    name: "element-wise",
    budget: 4.5 * KIB,
    files: [
      "ops/add",
      "ops/mul",
      "ops/squaredDifference",
      "ops/binary",
      "ops/lookup",
      "ops/softmax",
      "numeric/fixedPoint",
    ],
  },
  {
    name: "moves and conversions",
    budget: 5.5 * KIB,
    files: [
      "ops/copy",
      "ops/fill",
      "ops/resizeNearest",
      "ops/resizeBilinear",
      "ops/quantize",
      "ops/dequantize",
      "ops/requantize",
      "simd/lanes",
    ],
  },
];

/** What came after the first operators. */
const LATER: readonly Family[] = [
  {
    name: "weights of few bits",
    budget: 19 * KIB,
    files: [
      "ops/binaryConv2d",
      "ops/fewBits",
      "numeric/fewBits",
      "simd/fewBits",
      "simd/fewBitsDot",
      "simd/fewBitsNarrow",
      "simd/fewBitsPlaces",
      "simd/fewBitsRelaxed",
    ],
  },
  { name: "state", budget: 0.5 * KIB, files: ["state"] },
  {
    name: "tiles of strips",
    budget: 9 * KIB,
    files: ["ops/conv2dRelaxed", "simd/strips", "simd/gemmStrips", "simd/gemmSeven", "simd/gemmSymmetric"],
  },
  {
    name: "sparse weights",
    budget: 8 * KIB,
    files: [
      "numeric/sparseBlocks",
      "simd/sparse",
      "simd/sparseNarrow",
      "simd/sparseRelaxed",
      "simd/rowWindow",
      "ops/sparseStep",
      "ops/sparseRows",
      "ops/conv2dSparse",
    ],
  },
  {
    name: "float32",
    budget: 22 * KIB,
    files: [
      "floatSteps",
      "numeric/floatMath",
      "simd/gemmFloat",
      "ops/floatConv",
      "ops/floatMatmul",
      "ops/floatNorm",
      "ops/floatPool",
      "ops/floatRecurrent",
      "ops/floatSoftmax",
      "ops/gather",
      "ops/map",
      "ops/reduce",
      "ops/resample",
      "ops/zip",
    ],
  },
  { name: "recurrent", budget: 9 * KIB, files: ["sequenceSteps", "ops/recurrent", "simd/gates", "simd/cells"] },
  { name: "front ends", budget: 3 * KIB, files: ["ops/spectrum"] },
  {
    name: "attention",
    budget: 6 * KIB,
    files: ["ops/attention", "simd/sums", "ops/normalize", "ops/embedding", "ops/meanPool"],
  },
];

const asc = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");

function compiled(target: string): [string, number][] {
  const directory = mkdtempSync(join(tmpdir(), "mote-families-"));
  try {
    const file = join(directory, "core.wasm");
    execFileSync(process.execPath, [
      asc,
      "--config",
      "asconfig.json",
      "--target",
      target,
      "--debug",
      "--outFile",
      file,
    ]);
    return functionSizes(readFileSync(file));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe.each(["simd", "relaxed"])("the %s core", (target) => {
  const functions = compiled(target);
  const familyOf = new Map([...FIRST, ...LATER].flatMap((family) => family.files.map((file) => [file, family.name])));
  const bytes = new Map<string, number>();
  const homeless = new Set<string>();
  for (const [name, size] of functions) {
    const file = name.replace(/^assembly\//, "").replace(/\/[^/]*$/, "");
    const family = familyOf.get(file);
    if (family === undefined) homeless.add(file);
    else bytes.set(family, (bytes.get(family) ?? 0) + size);
  }

  it("has no function outside the families", () => {
    expect([...homeless]).toEqual([]);
  });

  it.each([...FIRST, ...LATER])("$name: at most $budget bytes", ({ name, budget }) => {
    expect(bytes.get(name) ?? 0).toBeLessThanOrEqual(budget);
  });

  it("holds the first operators in 64 KiB", () => {
    const first = FIRST.reduce((sum, { name }) => sum + (bytes.get(name) ?? 0), 0);
    expect(first).toBeLessThanOrEqual(64 * KIB);
  });
});
