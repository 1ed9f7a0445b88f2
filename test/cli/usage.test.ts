// The command line itself: help, versions, mistakes and their exit status.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { VERSION } from "../../tools/pack/version.ts";
import { tinyModel } from "../support/tinyModel.ts";
import { folder, MAIN, mote } from "./command.ts";

const COMMANDS = ["import", "run", "inspect", "explain", "profile", "core", "sign", "verify"];
const dir = folder();
const tiny = join(dir, "tiny.mote");
writeFileSync(tiny, tinyModel());

describe("mote", () => {
  it("alone shows the help, as --help does", async () => {
    const [alone, help] = await Promise.all([mote(), mote("--help")]);
    expect(alone).toEqual(help);
    expect(alone).toMatchObject({ status: 0, stderr: "" });
    for (const command of COMMANDS) expect(alone.stdout).toContain(`\n  ${command} `);
  });

  it("--version is the package's", async () => {
    expect(await mote("--version")).toEqual({ status: 0, stdout: `${VERSION}\n`, stderr: "" });
  });

  it("starts with a line that lets a shell start it", () => {
    expect(readFileSync(MAIN, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  it.each(COMMANDS)("%s --help says what it does, by example, and its exit status", async (command) => {
    const { status, stdout, stderr } = await mote(command, "--help");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`Usage: mote ${command} \\[options\\] [<[]model[>\\]]`));
    expect(stdout).toContain("--json");
    expect(stdout).toMatch(new RegExp(`Examples?:\n  mote ${command} `));
    expect(stdout).toMatch(/Exit status: 0 .*, 1 .*, 2 bad usage\./s);
  });

  it.each([
    [["inspekt", "m.mote"], `mote: unknown command 'inspekt'. Did you mean inspect? See "mote --help".\n`],
    [["inspect"], `mote: missing required argument 'model'. See "mote inspect --help".\n`],
    [
      ["run", "m.mote", "--inptu", "x"],
      `mote: unknown option '--inptu'. Did you mean --input? See "mote run --help".\n`,
    ],
    [["import", "m.tflite"], "mote: mote import must know where to write: add --output FILE.\n"],
    [["import", "m.tflite", "--outptu", "m"], /unknown option '--outptu'. Did you mean --output\?/],
    [["verify", "a.mote", "b.mote"], /^mote: too many arguments .* See "mote verify --help"\.\n$/],
    [["profile", "m.mote", "--runs", "0"], /^mote: option '--runs <count>' .* whole number from 1 to 1000000\..*\n$/],
    [["run", "m.mote", "-i", "x", "--build", "fast"], /^mote: option '--build <name>' .* relaxed, simd, scalar\..*\n$/],
  ])("%j is refused with status 2", async (words, message) => {
    const { status, stdout, stderr } = await mote(...words);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    if (typeof message === "string") expect(stderr).toBe(message);
    else expect(stderr).toMatch(message);
  });

  it("help of a command is that command's --help, and of no command a mistake", async () => {
    expect(await mote("help", "run")).toEqual(await mote("run", "--help"));
    expect(await mote("help", "rn")).toMatchObject({
      status: 2,
      stdout: "",
      stderr: expect.stringMatching(/\nmote: there is no such command\. See "mote --help"\.\n$/),
    });
  });

  it("tells a program what is wrong, too", async () => {
    const [usage, failed] = await Promise.all([mote("run", "--json"), mote("inspect", "--json", join(dir, "no.mote"))]);
    expect(usage.status).toBe(2);
    expect(JSON.parse(usage.stdout)).toEqual({
      error: { code: "USAGE", message: expect.stringContaining("missing required argument 'model'") },
    });
    expect(failed.status).toBe(1);
    expect(JSON.parse(failed.stdout)).toEqual({
      error: {
        code: "BAD_FILE",
        message: expect.stringMatching(/no\.mote cannot be read: there is no such file or folder\.$/),
      },
    });
  });

  it.each([
    ["a folder", dir, /cannot be read: it is a folder\.\n$/],
    ["another kind of file", MAIN, /main\.js: Not a \.mote file: .*\.\n$/],
  ])("%s instead of a model gives one sentence", async (_, path, message) => {
    for (const command of ["inspect", "verify", "explain"]) {
      const { status, stdout, stderr } = await mote(command, path);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(message);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    }
  });

  it("ends quietly when nobody reads on", async () => {
    const child = spawn(process.execPath, [MAIN, "explain", tiny], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += chunk));
    const [status] = await once(child, "close");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});
