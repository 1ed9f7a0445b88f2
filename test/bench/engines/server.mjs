// Serves the bench's places to pages, isolated from other origins so that their clocks are fine (5 µs).
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { pathOf } from "../places.mjs";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

export function serve() {
  const server = createServer(async (request, response) => {
    try {
      const { pathname } = new URL(request.url, "http://host");
      const bytes = await readFile(pathOf(decodeURIComponent(pathname)));
      response.writeHead(200, {
        "content-type": TYPES[extname(pathname)] ?? "application/octet-stream",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
        "cache-control": "no-store",
      });
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  // Connections too: one that a browser opened ahead and has not used would go on answering.
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve({ origin: `http://127.0.0.1:${server.address().port}`, close });
    });
  });
}
