// The example that scores a Parquet data set on the processes of a Ray cluster: the bytes of each row, in their order,
// are those of one process and XNNPACK's.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { absent, ENGINES } from "../engines/find.ts";
import { root } from "../support/sources.ts";
import { wasiModule } from "./runner.ts";

const python = join(ENGINES, "python/bin/python");
const hasRay = existsSync(join(ENGINES, "python/installed/ray==2.60.0"));
const TIMES = 40;
/** Ray starts some processes. */
const RAY_MS = 300_000;

const golden = (name: string): Buffer => readFileSync(join(root, "models/digits/golden", name));
const folder = mkdtempSync(join(tmpdir(), "mote-batch-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

const run = (...args: readonly string[]): string =>
  execFileSync(python, args, {
    cwd: folder,
    encoding: "utf8",
    timeout: RAY_MS,
    stdio: ["ignore", "pipe", "pipe"],
    // a busy machine takes longer than half a minute to start its processes
    env: { ...process.env, RAY_USAGE_STATS_ENABLED: "0", RAY_raylet_start_wait_time_s: "240" },
  });

/** Rows of 784 bytes as a Parquet file, or column "output" of a folder as bytes. */
const WRITE = `import sys, pyarrow as pa, pyarrow.parquet as pq
data = open(sys.argv[1], "rb").read() * ${TIMES}
rows = [data[i : i + 784] for i in range(0, len(data), 784)]
pq.write_table(pa.table({"id": list(range(len(rows))), "input": pa.array(rows, pa.binary())}), sys.argv[2], row_group_size=64)`;
const READ = `import sys, pyarrow.dataset as ds
table = ds.dataset(sys.argv[1], format="parquet").to_table()
sys.stdout.write(b"".join(table.column("output").to_pylist()).hex())`;

it("scores every row with the bytes of one process, on Ray too", { timeout: 2 * RAY_MS }, ({ skip }) => {
  if (!hasRay) return skip(absent("ray"));
  run("-c", WRITE, join(root, "models/digits/golden/inputs.bin"), at("data.parquet"));
  const program = join(root, "examples/wasi/batch/score.py");
  const expected = golden("outputs.xnnpack.bin").toString("hex").repeat(TIMES);
  for (const workers of ["0", "2"]) {
    const words = [program, "--workers", workers, wasiModule("reactor"), join(root, "models/digits/digits.mote")];
    const said = JSON.parse(run(...words, at("data.parquet"), at(`scores-${workers}`))) as { rows: number };
    expect(said.rows).toBe(expected.length / 20);
    expect(run("-c", READ, at(`scores-${workers}`)) === expected).toBe(true);
  }
});
