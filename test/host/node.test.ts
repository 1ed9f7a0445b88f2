// mote-runtime/node: models and cores from files.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { loadModel, MoteError } from "../../host/targets/node.ts";
import { tinyModel } from "../support/tinyModel.ts";

const folder = mkdtempSync(join(tmpdir(), "mote-"));
const path = join(folder, "tiny.mote");
writeFileSync(path, tinyModel());
afterAll(() => rmSync(folder, { recursive: true }));

describe("mote-runtime/node", () => {
  it.each([
    ["a path", path],
    ["a file address", pathToFileURL(path).href],
    ["a file URL", pathToFileURL(path)],
    ["bytes", tinyModel()],
    ["a response", new Response(tinyModel().slice())],
  ])("loads %s with the built core", async (_, source) => {
    const session = await (await loadModel(source)).createSession();
    expect(session.build).toBe("simd");
    expect(session.selfTest()).toBe(true);
  });

  it("says which file is missing", async () => {
    const missing = join(folder, "none.mote");
    await expect(loadModel(missing)).rejects.toBeInstanceOf(MoteError);
    await expect(loadModel(missing)).rejects.toMatchObject({
      code: "FETCH",
      message: `The model cannot be read: ENOENT: no such file or directory, open '${missing}'.`,
    });
    await expect(loadModel(new URL("file://another.host/x"))).rejects.toMatchObject({ code: "FETCH" });
  });

  it("stops for an abort", async () => {
    const reason = new Error("enough");
    await expect(loadModel(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
