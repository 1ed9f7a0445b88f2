// Runs a task in a fresh page of a fresh Chromium, with nothing in its caches.
import { pathToFileURL } from "node:url";
import { pathOf } from "../places.mjs";
import { residentMiB } from "./resident.mjs";
import { serve } from "./server.mjs";

const LIMIT_MS = 180_000;
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** @param v8 options of its JavaScript engine */
export async function chromiumEngine(executablePath, v8 = []) {
  const { chromium } = (await import(pathToFileURL(pathOf("/packages/playwright-core/index.mjs")).href)) ?? {};
  const server = await serve();

  async function run(task) {
    const host = await chromium.launchServer({
      executablePath,
      headless: true,
      args: [...FLAGS, `--js-flags=${v8.join(",")}`],
    });
    const timer = setTimeout(() => host.kill(), LIMIT_MS);
    try {
      const browser = await chromium.connect(host.wsEndpoint());
      const page = await browser.newPage();
      const renderer = () => residentMiB(host.process().pid, "--type=renderer");
      let before = 0;
      await page.exposeFunction("benchBefore", () => {
        before = renderer();
      });
      await page.exposeFunction("benchFirst", () => {
        const rssMiB = renderer();
        return { rssMiB, rssAddedMiB: rssMiB - before };
      });
      await page.goto(`${server.origin}/bench/guest/page.html`);
      await page.waitForFunction("window.runTask");
      return await page.evaluate((given) => window.runTask(given), task);
    } catch (error) {
      return { error: String(error.message ?? error) };
    } finally {
      clearTimeout(timer);
      await host.close();
    }
  }

  return { run, close: () => server.close() };
}
