// Runs a graph on the core without a file between: what calibration and comparisons need, many times as fast as the
// references. Invariant: the numbers are those of the packed model; one memory a graph, never grown after it is made.

import { readFileSync } from "node:fs";
import { SLACK_BYTES, Status } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type Graph, type TensorData, zeros } from "../graph/graph.ts";
import { buildImage } from "../pack/image.ts";

const CORE = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/core/simd.wasm" : "../../core/simd.wasm",
  import.meta.url,
);
const PAGE = 65536;
const ALIGN = 64;
/** Words of the plan header that say where the io records are: see Plan in abi.ts. */
const IO_OFFSET = 32;

interface Core {
  readonly memory: WebAssembly.Memory;
  heapBase(): number;
  load(base: number, available: number): Status;
  failedStep(): number;
  run(): Status;
}

let compiled: WebAssembly.Module | undefined;

export class CoreRun {
  readonly #graph: Graph;
  readonly #core: Core;
  readonly #base: number;
  readonly #io: number;

  constructor(graph: Graph) {
    const { bytes, totalBytes } = buildImage(graph);
    compiled ??= new WebAssembly.Module(readFileSync(CORE));
    const core = new WebAssembly.Instance(compiled).exports as unknown as Core;
    const base = Math.ceil(core.heapBase() / ALIGN) * ALIGN;
    const available = totalBytes + SLACK_BYTES;
    const missing = Math.ceil((base + available) / PAGE) - core.memory.buffer.byteLength / PAGE;
    if (missing > 0) core.memory.grow(missing);
    new Uint8Array(core.memory.buffer).set(bytes, base);
    const status = core.load(base, available);
    if (status !== Status.Ok) {
      const where = core.failedStep();
      throw new ToolError(
        "UNSUPPORTED",
        `${graph.name}: the core refuses step ${where} (status ${status}); report it with the model.`,
      );
    }
    this.#graph = graph;
    this.#core = core;
    this.#base = base;
    this.#io = base + new DataView(core.memory.buffer).getUint32(base + IO_OFFSET, true);
  }

  /** One typed array an input, in order, of the tensors' dtypes; copies of the outputs, in order. */
  run(inputs: readonly TensorData[]): TensorData[] {
    const { tensors, inputs: ports, outputs } = this.#graph;
    const memory = new Uint8Array(this.#core.memory.buffer);
    const view = new DataView(memory.buffer);
    for (const [i, id] of ports.entries()) {
      const given = inputs[i];
      const count = elementCount(tensors[id]!.shape);
      if (given?.length !== count)
        throw new ToolError(
          "BAD_INPUT",
          `input "${tensors[id]!.name}" needs ${count} values but got ${given?.length ?? "none"}.`,
        );
      memory.set(
        new Uint8Array(given.buffer, given.byteOffset, given.byteLength),
        this.#base + view.getUint32(this.#io + i * 8, true),
      );
    }
    const status = this.#core.run();
    if (status !== Status.Ok)
      throw new ToolError(
        "UNSUPPORTED",
        `${this.#graph.name}: the core stopped with status ${status}; report it with the model.`,
      );
    return outputs.map((id, i) => {
      const { dtype, shape } = tensors[id]!;
      const result = zeros(dtype, elementCount(shape));
      const at = this.#base + view.getUint32(this.#io + (ports.length + i) * 8, true);
      new Uint8Array(result.buffer).set(memory.subarray(at, at + result.byteLength));
      return result;
    });
  }
}
