// examples/webview, built from the packed package, in real browsers on a phone's screen: the drawing, its keyboard, the
// microphone and the camera where the browser can pretend to have them, and the page without its server.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  BROWSERS,
  type Browser,
  browserAbsent,
  type Page,
  type StartOptions,
  startBrowser,
} from "../../engines/browsers.ts";
import { type Server, serve } from "../../engines/serve.ts";
import { describeEngine } from "../../support/describeEngine.ts";
import type { Project } from "../../support/installed.ts";
import { sharedData } from "../../support/sharedData.ts";
import { asVideo, withSilence } from "./media.ts";
import { builtPage } from "./page.ts";

const PHONE = { width: 390, height: 844, hasTouch: true };
/** Where the screenshots go for a person to look at, if anywhere: MOTE_SCREENSHOTS=folder npx vitest … */
const SHOTS = process.env.MOTE_SCREENSHOTS;

const project: { current?: Project } = {};
const built = (): Project => {
  project.current ??= builtPage();
  return project.current;
};
afterAll(() => project.current?.remove());

const wait = (condition: string, seconds = 20): string =>
  `new Promise((resolve, reject) => {
    const end = Date.now() + ${seconds} * 1000;
    const look = () => {
      if (${condition}) resolve(true);
      else if (Date.now() > end) reject(new Error("never: " + ${JSON.stringify(condition)} + "; " + document.body.innerText));
      else setTimeout(look, 20);
    };
    look();
  })`;
const text = (id: string): string => `document.getElementById("${id}").textContent`;
const click = (id: string): string => `document.getElementById("${id}").click()`;
const key = (id: string, name: string): string =>
  `document.getElementById("${id}").dispatchEvent(new KeyboardEvent("keydown", { key: "${name}", bubbles: true, cancelable: true }))`;

function options(name: string): StartOptions {
  if (name === "firefox") {
    const fake = {
      "media.navigator.streams.fake": true,
      "media.navigator.permission.disabled": true,
      "media.autoplay.default": 0,
      "media.autoplay.blocking_policy": 0,
      // time passes for sounds also on a machine without a sound card
      "media.cubeb.force_mock_context": true,
    };
    // one of the three is dark
    return { viewport: PHONE, prefs: { ...fake, "layout.css.prefers-color-scheme.content-override": 0 } };
  }
  const args = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
  ];
  if (sharedData && name === "chromium") {
    built().write("yes.wav", withSilence(join(sharedData, "media/yes_1000ms.wav")));
    built().write("person.y4m", asVideo(join(sharedData, "media/grace_hopper.bmp")));
    args.push(`--use-file-for-fake-audio-capture=${join(built().folder, "yes.wav")}`);
    args.push(`--use-file-for-fake-video-capture=${join(built().folder, "person.y4m")}`);
  }
  return { viewport: PHONE, args };
}

describeEngine.each(BROWSERS, browserAbsent, (name) => {
  let server: Server;
  let browser: Browser;
  let page: Page;
  const shot = async (what: string): Promise<void> => {
    if (!SHOTS) return;
    mkdirSync(SHOTS, { recursive: true });
    writeFileSync(join(SHOTS, `${name}-${what}.png`), await page.screenshot());
  };
  const problem = (): Promise<string> =>
    page.evaluate(`document.getElementById("problem").hidden ? "" : ${text("problem")}`);

  beforeAll(async () => {
    server = await serve({ "/": join(built().folder, "www") });
    browser = await startBrowser(name, options(name));
    page = await browser.open(`${server.origin}/`);
    await page.evaluate(wait("document.documentElement.dataset.ready || !document.getElementById('problem').hidden"));
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it("names the digit that is drawn, and says how long it took, where and in how much memory", async () => {
    expect(await problem()).toBe("");
    await page.evaluate(click("sample"));
    await page.evaluate(wait(`${text("digit-answer")} === "It is a 7"`));
    expect(await page.evaluate(text("ms"))).toMatch(/^(\d+\.\d\d|< 1) ms$/);
    expect(await page.evaluate(text("memory"))).toBe("64 KiB");
    expect(await page.evaluate(text("build"))).toMatch(/^(simd|relaxed)$/);
    expect(await page.evaluate("document.querySelectorAll('#digit-bars li').length")).toBe(10);
    await shot("digit");
    await page.evaluate(click("clear"));
    await page.evaluate(wait(`${text("digit-answer")} === "Nothing drawn yet"`));
  });

  it("is drawn on by keyboard", async () => {
    const keys = [..."⎵", ...Array(9).fill("ArrowUp"), ...Array(18).fill("ArrowDown"), "⎵"];
    for (const each of keys) await page.evaluate(key("easel", each === "⎵" ? " " : (each as string)));
    await page.evaluate(wait(`${text("digit-answer")} === "It is a 1" || ${text("digit-answer")} === "Pen up"`));
    const best = "document.querySelector('#digit-bars .best span').textContent";
    await page.evaluate(wait(`${best} === "1"`));
  });

  it("has tabs that arrow keys go through, and one panel shown", async () => {
    const panels =
      "[...document.querySelectorAll('[role=tabpanel]')].filter((panel) => !panel.hidden).map(({ id }) => id)";
    await page.evaluate(key("tab-digit", "ArrowRight"));
    expect(await page.evaluate(panels)).toEqual(["keyword"]);
    expect(await page.evaluate("document.activeElement.id")).toBe("tab-keyword");
    await page.evaluate(key("tab-keyword", "ArrowLeft"));
    expect(await page.evaluate(panels)).toEqual(["digit"]);
  });

  it("fits the screen: nothing is wider, and everything to touch is 44 pixels high", async () => {
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    const low =
      "[...document.querySelectorAll('button')].filter((each) => each.offsetParent && each.offsetHeight < 44).length";
    expect(await page.evaluate(low)).toBe(0);
  });

  it("hears and sees, where the browser can pretend to", async ({ skip }) => {
    if (!sharedData) return skip("../shared/data is absent");
    await page.evaluate(click("tab-keyword"));
    if (name === "webkit") {
      // its automated windows have no devices: the page says so and goes on
      await page.evaluate(click("listen"));
      await page.evaluate(wait("!document.getElementById('problem').hidden"));
      await page.evaluate(click("tab-digit"));
      return expect(await problem()).toBe("");
    }
    await page.evaluate(click("listen"));
    const heard = name === "chromium" ? `${text("keyword-answer")} === "“yes”"` : `/^[1-9]/.test(${text("frames")})`;
    await page.evaluate(wait(heard, 30));
    expect(await problem()).toBe("");
    await shot("keyword");
    await page.evaluate(click("tab-person"));
    await page.evaluate(click("look"));
    const seen = name === "chromium" ? `${text("person-answer")} === "a person"` : `/^[1-9]/.test(${text("frames")})`;
    await page.evaluate(wait(`${seen} && document.querySelectorAll("#person-bars li").length === 2`, 30));
    expect(await problem()).toBe("");
    await shot("person");
    // another panel lets go of the camera
    await page.evaluate(click("tab-digit"));
    expect(await page.evaluate("document.getElementById('view').srcObject")).toBe(null);
    await page.evaluate(wait("document.getElementById('person-answer').textContent === 'The camera is off'"));
  });

  it("opens without its server after one visit", async () => {
    await page.evaluate(wait("document.documentElement.dataset.offline === 'true'"));
    await page.close();
    server.close();
    page = await browser.open(`${server.origin}/`);
    await page.evaluate(wait("document.documentElement.dataset.ready === 'true'"));
    await page.evaluate(click("sample"));
    await page.evaluate(wait(`${text("digit-answer")} === "It is a 7"`));
    await expect(page.evaluate("fetch('models/none.mote')")).rejects.toThrow();
  });
});
