// A static server on loopback for pages under test. Invariant: serves only files inside the folders it was given.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".wasm": "application/wasm",
};

export interface Server {
  /** "http://127.0.0.1:port", no slash at the end */
  readonly origin: string;
  close(): void;
}

/**
 * @param folders address prefix ("/", "/dist/") → folder on disk; the longest that fits is taken
 * @param headers of every answer, e.g. a content security policy
 */
export function serve(
  folders: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const prefixes = Object.keys(folders).sort((a, b) => b.length - a.length);
  const server = createServer(async (request, response) => {
    try {
      const pathname = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://host").pathname));
      const prefix = prefixes.find((each) => pathname.startsWith(each));
      if (prefix === undefined) throw new Error("no such folder");
      const path = join(folders[prefix]!, pathname.slice(prefix.length), pathname.endsWith("/") ? "index.html" : "");
      const bytes = await readFile(path);
      const type = TYPES[extname(path)] ?? "application/octet-stream";
      const usual = { "content-type": type, "content-length": bytes.length, "cache-control": "no-store" };
      response.writeHead(200, { ...usual, ...headers }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  // Connections too: one that a browser opened ahead and has not used would go on answering.
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      resolve({ origin: `http://127.0.0.1:${port}`, close });
    });
  });
}
