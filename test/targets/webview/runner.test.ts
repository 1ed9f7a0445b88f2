// mote-runtime/webview in real browsers, on a page whose policy allows WebAssembly and no eval, and that is not isolated
// from other origins: with and without a Web Worker, the cache, refusals, frames, the page's life, and the end.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadModel } from "../../../host/targets/node.ts";
import { packGraph } from "../../../tools/pack/pack.ts";
import { generateSigningKey, signModel } from "../../../tools/sign/sign.ts";
import { BROWSERS, type Browser, browserAbsent, type Page, startBrowser } from "../../engines/browsers.ts";
import { type Server, serve } from "../../engines/serve.ts";
import { describeEngine } from "../../support/describeEngine.ts";
import { root } from "../../support/sources.ts";
import { delayGraph } from "../../support/streamModel.ts";

// pictures, because WebKit asks for an icon
const POLICY =
  "default-src 'none'; img-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'";

const signer = generateSigningKey();
const digits = new Uint8Array(readFileSync(join(root, "models/digits/digits.mote")));
const { bytes: signed } = signModel(digits, signer.privateKey);
const altered = signed.slice();
altered[altered.length >> 1]! ^= 1;
const MODELS = {
  "digits.mote": digits,
  "signed.mote": signed,
  "altered.mote": altered,
  "foreign.mote": signModel(digits, generateSigningKey().privateKey).bytes,
  "stream.mote": packGraph(delayGraph(), { source: "none", sourceBytes: new Uint8Array() }).bytes,
};
const verify = { publicKey: signer.publicKey };
const THREADS = [{}, { worker: false }];

const folder = mkdtempSync(join(tmpdir(), "mote-webview-"));
for (const [name, bytes] of Object.entries(MODELS)) writeFileSync(join(folder, name), bytes);
afterAll(() => rmSync(folder, { recursive: true }));

const ramp = (length: number, seed = 0) => Int8Array.from({ length }, (_, i) => ((i * 37 + seed * 11) % 256) - 128);

describeEngine.each(BROWSERS, browserAbsent, (name) => {
  let server: Server;
  let browser: Browser;
  let page: Page;
  const call = <T>(work: string, ...given: readonly unknown[]): Promise<T> =>
    page.evaluate<T>(`window.tests.${work}(...${JSON.stringify(given)})`);

  beforeAll(async () => {
    const folders = { "/": join(root, "test/targets/webview"), "/dist/": join(root, "dist"), "/models/": folder };
    server = await serve(folders, { "content-security-policy": POLICY });
    browser = await startBrowser(name);
    page = await browser.open(`${server.origin}/`);
    await page.evaluate(
      "new Promise((resolve) => (function look() { window.tests ? resolve(1) : setTimeout(look, 10); })())",
    );
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it("gives the same bytes in a Web Worker, on the page's thread, and in Node", async () => {
    const session = await (await loadModel(digits)).createSession();
    const expected = Object.values(session.run(ramp(784))).map((output) => [...output]);
    for (const options of THREADS) {
      const ran = await call<Record<string, unknown>>("run", "/models/digits.mote", options);
      expect(ran).toMatchObject({ outputs: expected, name: "digits", after: 0, run: "DISPOSED" });
      expect(ran.memoryBytes).toBe(65536);
      expect(ran.build).not.toBe("scalar");
    }
    expect(await call("session", "/models/digits.mote")).toMatchObject({ outputs: expected });
  });

  it("tells how far a transfer is, and stops it", async () => {
    const seen = await call<[number, number][]>("progress", "/models/digits.mote");
    expect(seen.at(-1)).toEqual([digits.length, digits.length]);
    expect(await call("aborted", "/models/digits.mote")).toEqual(["enough", "enough", "in the middle"]);
  });

  it("keeps a model by its version, and drops the version before", async () => {
    const kept = await call("cached", "/models/digits.mote", ["1", "1", "2", "2", "1"]);
    expect(kept).toEqual({ asked: [1, 0, 1, 0, 1], entries: 1 });
  });

  it.each(THREADS)("refuses what is not signed by the key, %j", async (options) => {
    for (const model of ["digits", "altered", "foreign"])
      expect(await call("refused", `/models/${model}.mote`, { ...options, verify })).toBe("UNTRUSTED");
    expect(await call("refused", "/models/signed.mote", { ...options, verify })).toBe("none");
    expect(await call("refused", "/models/none.mote", options)).toBe("FETCH");
    expect(await call("refused", "/page.js", options)).toBe("BAD_MODEL");
  });

  it("drops a cached model that is not trusted, and fetches it again once", async () => {
    await call("cached", "/models/signed.mote", ["7"], { verify });
    for (const other of ["altered", "digits", "foreign"]) {
      await call("poison", "/models/signed.mote", "7", `/models/${other}.mote`);
      expect(await call("cached", "/models/signed.mote", ["7", "7"], { verify })).toMatchObject({ asked: [1, 0] });
    }
    // what is refused is not kept
    expect(await call("refused", "/models/altered.mote", { verify, cache: { version: "1" } })).toBe("UNTRUSTED");
    expect(await call("refused", "/models/altered.mote", { verify, cache: { version: "1" } })).toBe("UNTRUSTED");
  });

  it.each(THREADS)("is never behind by more than one frame, %j", async (options) => {
    const { served, dropped, newestRight } = await call<{ served: number[]; dropped: number; newestRight: boolean }>(
      "frames",
      "/models/digits.mote",
      options,
    );
    expect(served).toEqual([0, 99]);
    expect({ dropped, newestRight }).toEqual({ dropped: 98, newestRight: true });
  });

  it.each(THREADS)("lets go of its memory and goes on where the stream was, %j", async (options) => {
    const { outputs } = await call<{ outputs: number[][] }>("stream", "/models/stream.mote", options);
    for (const event of ["memorypressure", "pagehide", "freeze"])
      expect(await call("stream", "/models/stream.mote", options, event)).toEqual({ outputs, released: 0, held: true });
  });

  it.each(THREADS)("ends all that waits when it is disposed, %j", async (options) => {
    const [runs, frame, late] = await call<[string[], string, string]>("disposed", "/models/digits.mote", options);
    expect(runs.slice(1)).toEqual(["DISPOSED", "DISPOSED"]);
    expect([frame, late]).toEqual(["DISPOSED", "DISPOSED"]);
  });

  it.each(THREADS)("refuses inputs that do not fit, and runs on, %j", async (options) => {
    expect(await call("badInput", "/models/digits.mote", options)).toEqual(["BAD_INPUT", "none"]);
  });

  it("says so when the Worker's script does not load", async () => {
    expect(await call("noScript", "/models/digits.mote")).toBe("NO_CORE");
  });

  it("has needed nothing that the page's policy forbids", async () => {
    expect(await call("violations")).toEqual([]);
  });
});
