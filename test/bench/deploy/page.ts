// examples/webview in Chromium: from a cold page to its first result, and the camera at 30 frames a second. Invariant: a
// time is kept only when the page names the digit that is drawn, and the camera's picture rightly.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Page, startBrowser } from "../../engines/browsers.ts";
import { serve } from "../../engines/serve.ts";
import type { Project } from "../../support/installed.ts";
import { sharedData } from "../../support/sharedData.ts";
import { asVideo } from "../../targets/webview/media.ts";
import { builtPage } from "../../targets/webview/page.ts";

const viewport = { width: 390, height: 844, hasTouch: true };
/** A browser just started is busy with its own windows. */
const SETTLE_MS = 1500;

export interface PageResult {
  readonly version: string;
  /** ms from the start of the navigation to the first run's answer on the page; the first is the browser's first, too */
  readonly firstResultMs: readonly number[];
}

export interface CameraResult {
  readonly seconds: number;
  /** pictures that the camera gave to the page, those the model ran on, and those that newer ones replaced */
  readonly frames: number;
  readonly ran: number;
  readonly dropped: number;
  /** ms from a picture's callback to its answer on the page */
  readonly medianMs: number;
  readonly p99Ms: number;
}

export const preparePage = (): Project => {
  const project = builtPage();
  writeFileSync(join(project.folder, "person.y4m"), asVideo(join(sharedData!, "media/grace_hopper.bmp")));
  return project;
};

const until = (condition: string): string =>
  `new Promise((resolve, reject) => {
    const end = performance.now() + 20000;
    (function look() {
      if (${condition}) resolve(true);
      else if (performance.now() > end) reject(new Error(${JSON.stringify(`never: ${condition}`)}));
      else setTimeout(look, 20);
    })();
  })`;

/** One browser, whose first load is a browser's first; a server, so an origin, of its own for each: nothing is cached. */
export async function measureLoads({ folder }: Project, rounds: number): Promise<PageResult> {
  const firstResultMs: number[] = [];
  const browser = await startBrowser("chromium", { viewport });
  try {
    await browser.open("about:blank");
    await sleep(SETTLE_MS);
    for (let i = 0; i < rounds; i++) {
      const server = await serve({ "/": join(folder, "www") });
      const page = await browser.open(`${server.origin}/`);
      await page.evaluate(until("document.documentElement.dataset.offline"));
      firstResultMs.push(await page.evaluate('performance.getEntriesByName("first-result")[0].startTime'));
      await page.evaluate('document.getElementById("sample").click()');
      await page.evaluate(until('document.getElementById("digit-answer").textContent === "It is a 7"'));
      await page.close();
      server.close();
      await sleep(SETTLE_MS / 5);
    }
    return { version: browser.version, firstResultMs };
  } finally {
    await browser.close();
  }
}

/** Counts the camera's pictures beside the page, and times its answers. */
const COUNT = `(async (seconds) => {
  const view = document.getElementById("view");
  const shown = document.getElementById("frames");
  const read = () => shown.textContent.match(/\\d+/g).map(Number);
  let seen = 0;
  let first;
  let last;
  let at = 0;
  const waits = [];
  const next = () => view.requestVideoFrameCallback((_, { presentedFrames }) => {
    at = performance.now();
    first ??= presentedFrames;
    last = presentedFrames;
    seen++;
    next();
  });
  const observer = new MutationObserver(() => waits.push(performance.now() - at));
  const [ranBefore, lateBefore] = read();
  next();
  observer.observe(shown, { childList: true, characterData: true, subtree: true });
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const [ran, late] = read();
  waits.sort((a, b) => a - b);
  return {
    seconds, frames: last - first + 1, ran: ran - ranBefore, dropped: late - lateBefore,
    medianMs: waits[waits.length >> 1], p99Ms: waits[Math.floor(waits.length * 0.99)],
  };
})`;

export async function measureCamera({ folder }: Project, seconds: number): Promise<CameraResult> {
  const server = await serve({ "/": join(folder, "www") });
  const args = [
    ...["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
    `--use-file-for-fake-video-capture=${join(folder, "person.y4m")}`,
  ];
  const browser = await startBrowser("chromium", { viewport, args });
  try {
    const page: Page = await browser.open(`${server.origin}/`);
    await page.evaluate(until("document.documentElement.dataset.offline"));
    await page.evaluate('document.getElementById("tab-person").click()');
    await page.evaluate('document.getElementById("look").click()');
    await page.evaluate(until('document.getElementById("person-answer").textContent === "a person"'));
    await sleep(SETTLE_MS);
    return await page.evaluate<CameraResult>(`${COUNT}(${seconds})`);
  } finally {
    await browser.close();
    server.close();
  }
}
