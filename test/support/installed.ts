// The package as a user has it: packed by npm and unpacked into a project's node_modules, with only what it declares
// beside it. Invariant: nothing is fetched; what the package does not ship or declare is not found.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ENGINES } from "../engines/find.ts";
import { read, root } from "./sources.ts";

export interface Project {
  readonly folder: string;
  /** Copies a folder of this project into it. */
  copy(from: string, to: string): void;
  write(path: string, text: string | Uint8Array): void;
  /** Makes a package found that this project, or else `.engines`, has installed. */
  link(name: string, from?: "engines"): void;
  /** stdout of a program run in the project's folder; an error holds its output */
  run(command: string, ...args: readonly string[]): string;
  remove(): void;
}

/** A project with nothing but `mote-runtime` and its dependencies. */
export function installedProject(): Project {
  const folder = mkdtempSync(join(tmpdir(), "mote-project-"));
  const at = (path: string): string => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    return join(folder, path);
  };
  const run = (command: string, args: readonly string[], cwd: string): string =>
    execFileSync(command, args, {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 180_000,
      env: { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false", FORCE_COLOR: "0" },
    });
  const project: Project = {
    folder,
    copy: (from, to) => cpSync(join(root, from), at(to), { recursive: true }),
    write: (path, text) => writeFileSync(at(path), text),
    link: (name, from) =>
      symlinkSync(join(from ? ENGINES : root, "node_modules", name), at(`node_modules/${name}`), "junction"),
    run: (command, ...args) => run(command, args, folder),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  const packed = run("npm", ["pack", "--json", "--pack-destination", folder], root);
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  mkdirSync(join(folder, "node_modules/mote-runtime"), { recursive: true });
  run("tar", ["-xzf", filename, "--strip-components=1", "-C", "node_modules/mote-runtime"], folder);
  const { dependencies } = JSON.parse(read("package.json")) as { dependencies: Record<string, string> };
  for (const name of Object.keys(dependencies)) project.link(name);
  return project;
}
