// Where models come from: every kind of source, progress, aborts, and what memory a session takes.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { loadModel } from "../../host/index.ts";
import { CORE } from "../support/core.ts";
import { tinyModel } from "../support/tinyModel.ts";

const bytes = tinyModel();
const options = { core: CORE };

/** A body that arrives in pieces of `size` bytes and, when `stall` is given, never ends. */
function pieces(size: number, stall = false): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, at + size));
      else if (!stall) controller.close();
      else return new Promise(() => {});
      at += size;
    },
  });
}

describe("loadModel takes", () => {
  let server: Server;
  let address = "";
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === "/tiny.mote") response.end(bytes);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  it.each<readonly [string, () => Parameters<typeof loadModel>[0]]>([
    ["bytes", () => bytes],
    ["bytes at an odd offset", () => Uint8Array.from([0, ...bytes]).subarray(1)],
    ["a Buffer", () => Buffer.from(bytes)],
    ["an ArrayBuffer", () => bytes.slice().buffer],
    ["a DataView", () => new DataView(bytes.slice().buffer)],
    ["a response", () => new Response(bytes.slice())],
    ["a response in small pieces", () => new Response(pieces(7))],
    ["a promise of a response", () => Promise.resolve(new Response(bytes.slice()))],
    ["a promise of bytes", () => Promise.resolve(bytes)],
    ["an address", () => `${address}/tiny.mote`],
    ["a URL", () => new URL(`${address}/tiny.mote`)],
    ["a data URL", () => `data:,${[...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")}`],
  ])("%s", async (_, source) => {
    const model = await loadModel(source(), options);
    expect(model.name).toBe("tiny");
    expect((await model.createSession()).selfTest()).toBe(true);
  });

  it("no address that answers with an error", async () => {
    await expect(loadModel(`${address}/none`, options)).rejects.toMatchObject({
      code: "FETCH",
      message: `The model did not arrive from ${address}/none: Error: HTTP 404.`,
    });
    await expect(loadModel(new Response(null, { status: 500 }), options)).rejects.toMatchObject({ code: "FETCH" });
    await expect(loadModel("http://127.0.0.1:1/", options)).rejects.toMatchObject({ code: "FETCH" });
  });

  it("no page instead of a model", async () => {
    const page = new Response("<!doctype html>".repeat(20));
    await expect(loadModel(page, options)).rejects.toMatchObject({ code: "BAD_MODEL" });
  });
});

describe("progress", () => {
  it("counts every piece, with the total that the server tells", async () => {
    const seen: (number | undefined)[][] = [];
    const headers = { "content-length": `${bytes.length}` };
    await loadModel(new Response(pieces(500), { headers }), {
      ...options,
      onProgress: (received, total) => seen.push([received, total]),
    });
    expect(seen[0]).toEqual([500, bytes.length]);
    expect(seen.at(-1)).toEqual([bytes.length, bytes.length]);
  });

  it("knows no total for a compressed transfer, and believes no wrong one", async () => {
    const totals = new Set<number | undefined>();
    const compressed = { "content-length": "9", "content-encoding": "gzip" };
    await loadModel(new Response(pieces(500), { headers: compressed }), {
      ...options,
      onProgress: (_, total) => totals.add(total),
    });
    expect([...totals]).toEqual([undefined]);
    for (const length of ["1", "999999999999999", "none", "0"])
      await loadModel(new Response(pieces(500), { headers: { "content-length": length } }), options);
  });
});

describe("an abort", () => {
  it("rejects with the signal's reason before anything is read", async () => {
    const reason = new Error("enough");
    await expect(loadModel(bytes, { ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("stops a transfer from within onProgress, and lets go of the stream", async () => {
    const controller = new AbortController();
    const cancel = vi.fn();
    const endless = new ReadableStream({ pull: (stream) => stream.enqueue(bytes.slice()), cancel });
    const loading = loadModel(new Response(endless), {
      ...options,
      signal: controller.signal,
      onProgress: (received) => received > 100_000 && controller.abort(),
    });
    await expect(loading).rejects.toMatchObject({ name: "AbortError" });
    expect(cancel).toHaveBeenCalled();
  });

  it("stops a transfer that waits for its next piece", async () => {
    const controller = new AbortController();
    const loading = loadModel(new Response(pieces(100, true)), { ...options, signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(loading).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("memory", () => {
  it("is told exactly, and refused beyond what the caller allows", async () => {
    const big = tinyModel({ total: 300_032 });
    const model = await loadModel(big, options);
    const session = await model.createSession();
    expect(session.memoryBytes).toBe(model.memoryBytes);
    expect(model.memoryBytes).toBe(5 * 65536);
    await expect(loadModel(big, { ...options, maxMemoryBytes: 65536 })).rejects.toMatchObject({
      code: "MEMORY",
      message: '"tiny" needs 327680 bytes, maxMemoryBytes allows 65536: allow more or pack a smaller model.',
    });
    await loadModel(big, { ...options, maxMemoryBytes: model.memoryBytes });
  });

  it("that the engine does not give is MoteError MEMORY", async () => {
    const model = await loadModel(tinyModel({ total: 300_032 }), options);
    const grow = vi.spyOn(WebAssembly.Memory.prototype, "grow").mockImplementation(() => {
      throw new RangeError("no more");
    });
    await expect(model.createSession()).rejects.toMatchObject({ code: "MEMORY" });
    grow.mockRestore();
  });

  it("never grows after the session is made", async () => {
    const session = await (await loadModel(tinyModel({ total: 300_032 }), options)).createSession();
    const { buffer } = session.input("x");
    const grow = vi.spyOn(WebAssembly.Memory.prototype, "grow");
    for (let i = 0; i < 100; i++) session.run(new Int8Array(12));
    session.profile();
    session.selfTest();
    expect(grow).not.toHaveBeenCalled();
    expect(session.input("x").buffer).toBe(buffer);
    expect(buffer.byteLength).toBe(session.memoryBytes);
    grow.mockRestore();
  });

  it("is each session's own", async () => {
    const model = await loadModel(bytes, options);
    const [a, b] = [await model.createSession(), await model.createSession()];
    a.input("x").fill(5);
    b.input("x").fill(7);
    expect(a.input("x")[0]).toBe(5);
    a.dispose();
    expect(b.selfTest()).toBe(true);
  });
});

describe("explain", () => {
  it("says ports, memory and steps", async () => {
    const model = await loadModel(bytes, options);
    expect(model.explain()).toMatchInlineSnapshot(`
      "tiny: 1 steps, 0 MACs
      input x: float32 1×3×4 stored as int8, 0.5 · (q − 3)
      output y: float32 1×3×4 stored as int8, 0.5 · (q − 3)
      memory: image 512 + arena 128 = 640 bytes; a session takes 65,536
      step  operator  kernel  shapes         MACs  const bytes  arena slot  scratch  name
         0  lookup    table   1×3×4 → 1×3×4     0          256     64 + 12        0  flip"
    `);
  });
});
