// The WASI modules as files: what they cost above the core, what they ask of an engine, and that the C header names
// what they export.
import { readFileSync } from "node:fs";
import binaryen from "assemblyscript/binaryen";
import { describe, expect, it } from "vitest";
import { Exit } from "../../assembly/wasi/exit.ts";
import { read } from "../support/sources.ts";
import { wasiModule } from "./runner.ts";

const KIB = 1024;
const bytesOf = (name: string): Buffer => readFileSync(wasiModule(name));
const textOf = (name: string): string => binaryen.readBinary(bytesOf(name)).emitText();
const exportsOf = (text: string): string[] =>
  [...text.matchAll(/\(export "(\w+)" \((\w+) /g)].map(([, name]) => name!).sort();

const IMPORTS = [
  ...["args_get", "args_sizes_get", "fd_close", "fd_prestat_dir_name", "fd_prestat_get", "fd_read", "fd_write"],
  ...["path_open", "path_rename", "proc_exit"],
];
const FUNCTIONS = [...read("include/mote.h").matchAll(/^\w+ (mote_\w+)\(/gm)].map(([, name]) => name!);

describe.each([
  ["simd", ""],
  ["scalar", "-scalar"],
])("the %s modules", (build, ending) => {
  it("have a command that is at most 8 KiB larger than the core", () => {
    const core = readFileSync(new URL(`../../dist/core/${build}.wasm`, import.meta.url)).length;
    expect(bytesOf(`mote${ending}`).length - core).toBeLessThanOrEqual(8 * KIB);
  });

  it("have a command that asks for ten functions of WASI preview 1, and exports its start", () => {
    const text = textOf(`mote${ending}`);
    const imports = [...text.matchAll(/\(import "wasi_snapshot_preview1" "(\w+)"/g)].map(([, name]) => name!);
    expect(imports.sort()).toEqual(IMPORTS);
    expect(text.match(/\(import /g)).toHaveLength(IMPORTS.length);
    expect(exportsOf(text)).toEqual(["_start", "memory"]);
  });

  it("have a reactor that asks for nothing, and exports what include/mote.h declares", () => {
    const text = textOf(`reactor${ending}`);
    expect(text).not.toContain("(import ");
    expect(exportsOf(text)).toEqual([...FUNCTIONS, "memory"].sort());
  });
});

describe("include/mote.h", () => {
  it("has the statuses of assembly/wasi/exit.ts", () => {
    const statuses = Object.fromEntries(
      [...read("include/mote.h").matchAll(/^ {2}MOTE_(\w+) = (\d+)/gm)].map(([, name, code]) => [name, Number(code)]),
    );
    expect(statuses).toEqual({
      DONE: Exit.Done,
      USAGE: Exit.Usage,
      FILE: Exit.File,
      MODEL: Exit.Model,
      MEMORY: Exit.Memory,
      INPUT: Exit.Input,
      OUTPUT: Exit.Output,
      STATE: Exit.State,
    });
  });
});
