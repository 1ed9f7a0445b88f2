// The project's own files as text, for tests about the code itself. Invariant: nothing installed, built,
// generated or ignored by git is among them.
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

const LEFT_OUT = new Set([".git", ".bench", ".engines", ".models", ".zoo", "node_modules", "dist", "generated"]);

function walk(folder: string): string[] {
  return readdirSync(root + folder, { withFileTypes: true }).flatMap((entry) => {
    if (LEFT_OUT.has(entry.name)) return [];
    const path = posix.join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : entry.isFile() ? [path] : [];
  });
}

/** Paths from the root, with `/` between. */
export const files: readonly string[] = walk("").sort();

/** Those that are code. */
export const sources: readonly string[] = files.filter((path) => /\.(ts|mjs|js)$/.test(path));

export const read = (path: string): string => readFileSync(root + path, "utf8");

const STATIC = /^(?:import|export)\b[^;"']*?\bfrom\s*["']([^"']+)["']/gm;
const BARE = /^import\s*["']([^"']+)["']/gm;
const DYNAMIC = /\b(?:import|require|require\.resolve)\(\s*["']([^"']+)["']/g;

/** What a source file imports, as written. */
export function importsIn(text: string): string[] {
  return [STATIC, BARE, DYNAMIC].flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1]!));
}

/** A relative import as a path from the root; a package's name as it is. */
export const resolve = (from: string, specifier: string): string =>
  specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : specifier;
