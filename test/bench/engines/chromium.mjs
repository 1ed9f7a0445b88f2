// Runs a task in a fresh page of a fresh Chromium, with nothing in its caches.
import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { pathOf } from "../places.mjs";
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

export async function chromiumEngine(executablePath) {
  const { chromium } = (await import(pathToFileURL(pathOf("/packages/playwright-core/index.mjs")).href)) ?? {};
  const server = await serve();

  async function run(task) {
    const host = await chromium.launchServer({ executablePath, headless: true, args: FLAGS });
    const timer = setTimeout(() => host.kill(), LIMIT_MS);
    try {
      const browser = await chromium.connect(host.wsEndpoint());
      const page = await browser.newPage();
      let before = 0;
      await page.exposeFunction("benchBefore", () => {
        before = rendererMiB(host.process().pid);
      });
      await page.exposeFunction("benchFirst", () => {
        const rssMiB = rendererMiB(host.process().pid);
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

/** Resident memory of the largest renderer among the browser's descendants. */
function rendererMiB(browser) {
  const parents = new Map();
  const renderers = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--type=renderer")) renderers.push(Number(pid));
    } catch {
      // it ended meanwhile
    }
  }
  const isOurs = (pid) => pid > 1 && (pid === browser || isOurs(parents.get(pid) ?? 0));
  return Math.max(0, ...renderers.filter(isOurs).map(residentMiB));
}

function residentMiB(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
  } catch {
    return 0;
  }
}
