// `npm start`: what a newcomer sees first works, in a pipe and without colours.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

it("draws the digit, its ten scores and the answer", () => {
  const said = execFileSync(process.execPath, [at("tools/build/demo.mjs")], { encoding: "utf8" });
  expect(said).not.toContain("\u001b");
  expect(said.match(/^ {2}│[ ░▒▓█]{28}│$/gm)).toHaveLength(14);
  expect(said.match(/^ +\d [█▏]+ +[\d.]+ %$/gm)).toHaveLength(10);
  expect(said).toMatch(/^It is a 7: /m);
  expect(said).toContain("npx mote run models/digits/digits.mote --input picture.png");
});
