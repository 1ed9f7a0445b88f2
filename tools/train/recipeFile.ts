// A recipe file → the recipe: TypeScript or JavaScript, compiled to one module by esbuild, as Node 20 cannot run
// TypeScript. Invariant: "mote-runtime/…" in it means this installation; packages are found from the recipe's folder;
// import.meta.url is the recipe's own.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { ToolError } from "../errors.ts";
import type { Recipe } from "./recipe.ts";

const ENGINE = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/tools/train/index.js" : "./index.js",
  import.meta.url,
);

function resolution(recipe: string): Plugin {
  const require = createRequire(recipe);
  return {
    name: "mote",
    setup({ onResolve }) {
      const engine = () => ({ path: ENGINE.href, external: true });
      onResolve({ filter: /^mote-runtime\/(train|tools)$/ }, engine);
      onResolve({ filter: /\/tools\/train\/index\.ts$/ }, engine);
      onResolve({ filter: /^node:/ }, ({ path }) => ({ path, external: true }));
      onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
        kind === "entry-point" ? undefined : { path: pathToFileURL(require.resolve(path)).href, external: true },
      );
    },
  };
}

/** Compiles the recipe to `<folder>/recipe.mjs` and imports it. Throws BAD_FILE or BAD_INPUT in one sentence. */
export async function openRecipe(
  path: string,
  folder: string,
): Promise<{ readonly recipe: Recipe; readonly module: string }> {
  const source = resolve(path);
  if (!existsSync(source)) throw new ToolError("BAD_FILE", `${path} cannot be read: there is no such file or folder.`);
  const module = join(resolve(folder), "recipe.mjs");
  try {
    await build({
      entryPoints: [source],
      outfile: module,
      absWorkingDir: dirname(source),
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      logLevel: "silent",
      define: { "import.meta.url": JSON.stringify(pathToFileURL(source).href) },
      plugins: [resolution(source)],
    });
  } catch (cause) {
    const [first] = (cause as { errors?: { text: string; location?: { file: string; line: number } }[] }).errors ?? [];
    const where = first?.location ? ` (${first.location.file}:${first.location.line})` : "";
    throw new ToolError(
      "BAD_FILE",
      `${path} is no recipe that compiles: ${first?.text ?? (cause as Error).message}${where}.`,
      { cause },
    );
  }
  const { default: recipe } = (await import(`${pathToFileURL(module).href}?at=${Date.now()}`)) as { default?: Recipe };
  for (const field of ["name", "data", "net", "batch", "epochs", "optimizer", "schedule"] as const) {
    if (recipe?.[field] === undefined) {
      throw new ToolError(
        "BAD_INPUT",
        `${path} must export a recipe as its default, with "${field}"; see tools/train/recipe.ts or use defineRecipe.`,
      );
    }
  }
  return { recipe: recipe!, module };
}
