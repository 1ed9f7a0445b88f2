// Real browsers, driven as they are installed: Chromium and Firefox by WebDriver BiDi or DevTools (puppeteer-core),
// WebKitGTK by plain WebDriver on a screen of its own (Xvfb). One interface for the three.
// Invariant: a browser has a fresh profile, and `close` leaves no process behind.
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { pathToFileURL } from "node:url";
import { absent, findPackage, findProgram } from "./find.ts";

export const BROWSERS = ["chromium", "firefox", "webkit"] as const;
export type BrowserName = (typeof BROWSERS)[number];

export interface StartOptions {
  /** more arguments of the program; WebKitGTK takes none */
  readonly args?: readonly string[];
  /** of the page, in CSS pixels; WebKitGTK keeps its own */
  readonly viewport?: { readonly width: number; readonly height: number; readonly hasTouch?: boolean };
  /** preferences of Firefox */
  readonly prefs?: Readonly<Record<string, string | number | boolean>>;
}

export interface Page {
  /** The JSON value of a JavaScript expression, awaited when it is a promise. */
  evaluate<T>(expression: string): Promise<T>;
  /** A PNG of what is to be seen. */
  screenshot(): Promise<Uint8Array>;
  /** Bytes of the page's heap and of the buffers beside it, after garbage was collected; Chromium only. */
  heapBytes?(): Promise<number>;
  close(): Promise<void>;
}

export interface Browser {
  readonly name: BrowserName;
  readonly version: string;
  /** Opens `url` and waits until it has loaded. */
  open(url: string): Promise<Page>;
  close(): Promise<void>;
}

const PROGRAMS: Readonly<Record<BrowserName, readonly string[]>> = {
  chromium: ["chromium", "chromium-browser", "google-chrome"],
  firefox: ["firefox-esr", "firefox"],
  webkit: ["WebKitWebDriver"],
};
const MINI_BROWSER = /x86_64|x64/.test(process.arch)
  ? "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser"
  : "/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser";
/** Nothing is asked of the network; as root, as in most containers, Chromium has no sandbox. */
const CHROMIUM_ARGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
  ...["--disable-background-networking", "--disable-component-update"],
];

/** Why `name` cannot be started here, for a test to skip itself with; undefined when it can. */
export function browserAbsent(name: BrowserName): string | undefined {
  if (!findProgram(...PROGRAMS[name]) || (name === "webkit" && !findProgram("Xvfb"))) return absent(name);
  return name !== "webkit" && !findPackage("puppeteer-core") ? absent("puppeteer") : undefined;
}

export function startBrowser(name: BrowserName, options: StartOptions = {}): Promise<Browser> {
  return name === "webkit" ? startWebKit() : startWithPuppeteer(name, options);
}

/** The part of puppeteer-core that is used here; the package is not among the project's own. */
interface Puppeteer {
  launch(options: object): Promise<{
    version(): Promise<string>;
    newPage(): Promise<{
      goto(url: string, options: object): Promise<unknown>;
      setViewport(viewport: object): Promise<void>;
      evaluate(expression: string): Promise<unknown>;
      screenshot(): Promise<Uint8Array>;
      createCDPSession(): Promise<{ send(command: string): Promise<object> }>;
      close(): Promise<void>;
    }>;
    close(): Promise<void>;
  }>;
}

async function startWithPuppeteer(name: "chromium" | "firefox", options: StartOptions): Promise<Browser> {
  const { default: puppeteer } = (await import(pathToFileURL(findPackage("puppeteer-core")!).href)) as {
    default: Puppeteer;
  };
  const browser = await puppeteer.launch({
    browser: name === "chromium" ? "chrome" : "firefox",
    executablePath: findProgram(...PROGRAMS[name]),
    headless: true,
    protocolTimeout: 180_000,
    ...(options.prefs && { extraPrefsFirefox: options.prefs }),
    args: [...(name === "chromium" ? CHROMIUM_ARGS : []), ...(options.args ?? [])],
  });
  return {
    name,
    version: (await browser.version()).replace(/^[^/]*\//, ""),
    async open(url) {
      const page = await browser.newPage();
      if (options.viewport) await page.setViewport(options.viewport);
      await page.goto(url, { waitUntil: "load" });
      return {
        evaluate: async <T>(expression: string) => (await page.evaluate(expression)) as T,
        screenshot: () => page.screenshot(),
        ...(name === "chromium" && { heapBytes: async () => usedBytes(await page.createCDPSession()) }),
        close: () => page.close(),
      };
    },
    close: () => browser.close(),
  };
}

/** What V8's inspector says is used, after garbage was collected. */
async function usedBytes(inspector: { send(command: string): Promise<object> }): Promise<number> {
  // weak references are let go of by the second, wrappers of the page's objects by the third
  for (let i = 0; i < 3; i++) await inspector.send("HeapProfiler.collectGarbage");
  const used = (await inspector.send("Runtime.getHeapUsage")) as Record<string, number>;
  return used.usedSize! + (used.embedderHeapUsedSize ?? 0) + (used.backingStorageSize ?? 0);
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });

/** A screen that nobody sees; Xvfb says its number on descriptor 3. */
async function startScreen(): Promise<{ readonly process: ChildProcess; readonly display: string }> {
  const child = spawn(findProgram("Xvfb")!, ["-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const display = await new Promise<string>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`Xvfb ended with ${code}`)));
    child.stdio[3]!.once("data", (chunk) => resolve(`:${String(chunk).trim()}`));
  });
  return { process: child, display };
}

async function startWebKit(): Promise<Browser> {
  const [screen, port] = [await startScreen(), await freePort()];
  const driver = spawn(findProgram(...PROGRAMS.webkit)!, [`--port=${port}`, "--host=127.0.0.1"], {
    stdio: "ignore",
    // its page process may not make a sandbox inside a container
    env: { ...process.env, DISPLAY: screen.display, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1" },
  });
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    const { value } = (await response.json()) as { value: T & { error?: string; message?: string } };
    if (value?.error) throw new Error(`WebKitWebDriver: ${value.error}: ${value.message}`);
    return value;
  };
  const stop = (): void => {
    driver.kill();
    screen.process.kill();
  };
  try {
    for (let tries = 0; ; tries++) {
      try {
        await call("GET", "/status");
        break;
      } catch (error) {
        if (tries > 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    const options = { binary: MINI_BROWSER, args: ["--automation"] };
    const { sessionId, capabilities } = await call<{ sessionId: string; capabilities: { browserVersion: string } }>(
      "POST",
      "/session",
      { capabilities: { alwaysMatch: { "webkitgtk:browserOptions": options } } },
    );
    const session = `/session/${sessionId}`;
    await call("POST", `${session}/timeouts`, { script: 180_000, pageLoad: 60_000 });
    return {
      name: "webkit",
      version: capabilities.browserVersion,
      async open(url) {
        // one window: a second page takes the place of the first
        await call("POST", `${session}/url`, { url });
        return {
          async evaluate<T>(expression: string) {
            const script = `const done = arguments[0];
              (async () => (${expression}))().then((value) => done({ value }), (error) => done({ error: String(error) }));`;
            const said = await call<{ value?: T; error?: string }>("POST", `${session}/execute/async`, {
              script,
              args: [],
            });
            // WebDriver itself takes a value with an "error" for its own
            if (said.error !== undefined) throw new Error(said.error);
            return said.value as T;
          },
          screenshot: async () => Buffer.from(await call<string>("GET", `${session}/screenshot`), "base64"),
          close: async () => void (await call("POST", `${session}/url`, { url: "about:blank" })),
        };
      },
      async close() {
        await call("DELETE", session).catch(() => undefined);
        stop();
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
}
