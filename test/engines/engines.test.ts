// The drivers of browsers and workerd by themselves: they start, answer, tell a failure, and end.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { BROWSERS, browserAbsent, startBrowser } from "./browsers.ts";
import { absent, isAbsent } from "./find.ts";
import { serve } from "./serve.ts";
import { startWorker, workerdAbsent } from "./workerd.ts";

const folder = mkdtempSync(join(tmpdir(), "mote-engines-"));
writeFileSync(join(folder, "index.html"), "<!doctype html><title>page</title><script>window.answer = 42</script>");
writeFileSync(join(folder, "worker.js"), 'export default { fetch: () => new Response("pong") };');
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(BROWSERS)("%s", (name) => {
  it("opens a page, evaluates in it, shows it, and says what went wrong", async ({ skip }) => {
    const reason = browserAbsent(name);
    if (reason) return skip(reason);
    const server = await serve({ "/": folder });
    const browser = await startBrowser(name);
    try {
      expect(browser.version).toMatch(/^\d+\./);
      const page = await browser.open(`${server.origin}/`);
      expect(await page.evaluate("window.answer")).toBe(42);
      expect(await page.evaluate("Promise.resolve({ title: document.title })")).toEqual({ title: "page" });
      await expect(page.evaluate("Promise.reject(new Error('no luck'))")).rejects.toThrow("no luck");
      expect([...(await page.screenshot()).subarray(1, 4)]).toEqual([...Buffer.from("PNG")]);
      await page.close();
    } finally {
      await browser.close();
      server.close();
    }
  });
});

describe("workerd", () => {
  it("answers a request", async ({ skip }) => {
    const reason = workerdAbsent();
    if (reason) return skip(reason);
    const worker = await startWorker(folder, "worker.js");
    try {
      expect(worker.version).toMatch(/^1\.\d{8}/);
      expect(await (await worker.fetch("/")).text()).toBe("pong");
    } finally {
      await worker.close();
    }
  });
});

describe("a skip for an absent engine", () => {
  it("is true only of an engine that was not installed", () => {
    expect(isAbsent(absent("an-engine-that-is-none"))).toBe(true);
    expect(isAbsent("an-engine-that-is-none is absent")).toBe(false);
    expect(isAbsent("wazero is absent: node test/engines/install.mjs wasmi")).toBe(false);
  });
});
