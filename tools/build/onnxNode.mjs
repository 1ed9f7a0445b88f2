// `npm run onnx-node -- DIR [--json]`: builds once where nothing was built yet, then runs dist/tools/cli/onnxNode.js.
import { existsSync } from "node:fs";

if (!existsSync(new URL("../../dist/tools/cli/onnxNode.js", import.meta.url))) await import("./build.mjs");
await import("../../dist/tools/cli/onnxNode.js");
