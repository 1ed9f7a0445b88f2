// The package's entries by name, as a user's program imports them: pack with /tools, run with /node.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const PROGRAM = `
  import { loadModel } from "mote-runtime/node";
  import { evaluate, packGraph, ToolError } from "mote-runtime/tools";
  const quant = { scale: Float32Array.of(0.5), zeroPoint: Int32Array.of(0), axis: 0 };
  const tensor = (name, shape) => ({ name, shape, dtype: "int8", quant });
  const graph = {
    name: "flat",
    tensors: [tensor("x", [2, 2]), tensor("y", [4])],
    nodes: [{ op: "reshape", name: "y", inputs: [0], outputs: [1], attrs: { shape: [4] } }],
    inputs: [0],
    outputs: [1],
  };
  const { bytes } = packGraph(graph, { source: "none", sourceBytes: new Uint8Array() });
  const session = await (await loadModel(bytes)).createSession();
  const x = Int8Array.of(1, -2, 3, -4);
  const { y } = session.run({ x });
  let refused;
  try {
    packGraph({ ...graph, outputs: [9] }, { source: "none", sourceBytes: new Uint8Array() });
  } catch (error) {
    refused = error instanceof ToolError;
  }
  console.log(JSON.stringify({ y: [...y], expected: [...evaluate(graph, [x])[0]], refused }));
`;

it("packs and runs through the entries of package.json", () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", PROGRAM], { cwd: root, encoding: "utf8" });
  expect(JSON.parse(said)).toEqual({ y: [1, -2, 3, -4], expected: [1, -2, 3, -4], refused: true });
});
