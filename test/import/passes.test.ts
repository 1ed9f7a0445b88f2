// The graph passes, on small graphs written by hand: what they remove, and that ports stay as they were.

import { describe, expect, test } from "vitest";
import { cancelMoves } from "../../tools/graph/cancel.ts";
import { canonicalise } from "../../tools/graph/canonicalise.ts";
import { removeDeadCode } from "../../tools/graph/deadCode.ts";
import { floatEdges } from "../../tools/graph/floatEdges.ts";
import { fuseClamp } from "../../tools/graph/fuseClamp.ts";
import { fusePad } from "../../tools/graph/fusePad.ts";
import type {
  Attributes,
  DType,
  Graph,
  Node,
  OpName,
  Quantization,
  Tensor,
  TensorData,
} from "../../tools/graph/graph.ts";
import { makeNode } from "../../tools/graph/node.ts";
import { runPasses } from "../../tools/graph/passes.ts";

function quant(scale = 0.5, zeroPoint = 0): Quantization {
  return { scale: Float32Array.of(scale), zeroPoint: Int32Array.of(zeroPoint), axis: 0 };
}

class Sketch {
  readonly tensors: Tensor[] = [];
  readonly nodes: Node[] = [];

  tensor(
    name: string,
    shape: readonly number[],
    dtype: DType = "int8",
    q: Quantization | undefined = quant(),
    data?: TensorData,
  ): number {
    const known = dtype === "float32" || q === undefined ? {} : { quant: q };
    return this.tensors.push({ name, shape, dtype, ...known, ...(data === undefined ? {} : { data }) }) - 1;
  }

  node<K extends OpName>(op: K, inputs: readonly number[], outputs: readonly number[], attrs: Attributes[K]): void {
    this.nodes.push(makeNode(op, this.tensors[outputs[0] ?? -1]?.name ?? "", inputs, outputs, attrs));
  }

  graph(inputs: readonly number[], outputs: readonly number[]): Graph {
    return { name: "sketch", tensors: this.tensors, nodes: this.nodes, inputs, outputs };
  }
}

const ops = (graph: Graph): string[] => graph.nodes.map((node) => node.op);
const names = (graph: Graph, ids: readonly number[]): (string | undefined)[] =>
  ids.map((id) => graph.tensors[id]?.name);

function window(padding = { top: 0, bottom: 0, left: 0, right: 0 }): Attributes["conv2d"] {
  return { strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, activation: "none", padding };
}

describe("floatEdges", () => {
  function edges(): Sketch {
    const s = new Sketch();
    s.tensor("in", [4], "float32");
    s.tensor("in_q", [4], "int8", quant(0.25, 3));
    s.tensor("out_q", [4]);
    s.tensor("out", [4], "float32");
    s.node("quantize", [0], [1], {});
    s.node("logistic", [1], [2], {});
    s.node("dequantize", [2], [3], {});
    return s;
  }

  test("float ports become integer tensors of the same names", () => {
    const graph = runPasses(edges().graph([0], [3]));
    expect(ops(graph)).toEqual(["logistic"]);
    expect(names(graph, [...graph.inputs, ...graph.outputs])).toEqual(["in", "out"]);
    expect(graph.tensors.map((tensor) => tensor.dtype)).toEqual(["int8", "int8"]);
    expect(graph.tensors[graph.inputs[0] ?? -1]?.quant).toEqual(quant(0.25, 3));
    expect([...(graph.edges ?? [])]).toEqual([
      [graph.inputs[0], "float32"],
      [graph.outputs[0], "float32"],
    ]);
  });

  test("two readers that quantize alike are one edge; unlike ones keep their nodes", () => {
    const alike = edges();
    const again = alike.tensor("in_q2", [4], "int8", quant(0.25, 3));
    const sum = alike.tensor("sum", [4]);
    alike.node("quantize", [0], [again], {});
    alike.node("add", [again, 2], [sum], { activation: "none" });
    expect(ops(floatEdges(alike.graph([0], [sum])))).toEqual(["logistic", "dequantize", "add"]);
    const unlike = edges();
    const other = unlike.tensor("in_q2", [4], "int8", quant(0.5, 3));
    unlike.node("quantize", [0], [other], {});
    expect(ops(floatEdges(unlike.graph([0], [3, other])))).toEqual(["quantize", "logistic", "quantize"]);
  });

  test("an integer port that is also given out as float keeps its dequantize", () => {
    const graph = floatEdges(edges().graph([0], [2, 3]));
    expect(ops(graph)).toEqual(["logistic", "dequantize"]);
    expect(graph.outputs).toEqual([2, 3]);
  });
});

describe("canonicalise", () => {
  test("uint8 ports stay, everything between them is int8", () => {
    const s = new Sketch();
    s.tensor("x", [2], "uint8", quant(0.5, 100));
    s.tensor("c", [2], "uint8", quant(0.25, 130), Uint8Array.of(0, 255));
    s.tensor("y", [2], "uint8", quant(1, 0));
    s.node("add", [0, 1], [2], { activation: "none" });
    const graph = runPasses(s.graph([0], [2]));
    expect(ops(graph)).toEqual(["requantize", "add", "requantize"]);
    const [x, y] = [...graph.inputs, ...graph.outputs].map((id) => graph.tensors[id]);
    expect([x?.name, x?.dtype, x?.quant?.zeroPoint[0]]).toEqual(["x", "uint8", 100]);
    expect([y?.name, y?.dtype, y?.quant?.zeroPoint[0]]).toEqual(["y", "uint8", 0]);
    const [a, c] = (graph.nodes[1]?.inputs ?? []).map((id) => graph.tensors[id]);
    expect([a?.dtype, a?.quant]).toEqual(["int8", quant(0.5, -28)]);
    expect([c?.data, c?.quant]).toEqual([Int8Array.of(-128, 127), quant(0.25, 2)]);
  });

  test("a uint8 tensor behind a float32 edge becomes int8 without a node", () => {
    const s = new Sketch();
    s.tensor("x", [2], "float32");
    s.tensor("q", [2], "uint8", quant(0.5, 128));
    s.tensor("y", [2]);
    s.node("quantize", [0], [1], {});
    s.node("requantize", [1], [2], {});
    const graph = runPasses(s.graph([0], [2]));
    // The requantize to the same scale is an identity by then, but joins two ports.
    expect(ops(graph)).toEqual(["requantize"]);
    expect(graph.tensors[graph.inputs[0] ?? -1]).toEqual({
      name: "x",
      shape: [2],
      dtype: "int8",
      quant: quant(0.5, 0),
    });
  });

  test("per-channel zero points move too, and shared data stays shared", () => {
    const s = new Sketch();
    const data = Uint8Array.of(1, 2);
    const q = { scale: Float32Array.of(1, 2), zeroPoint: Int32Array.of(128, 0), axis: 0 };
    s.tensor("a", [2], "uint8", q, data);
    s.tensor("b", [2], "uint8", q, data);
    const { tensors } = canonicalise(s.graph([], []));
    expect(tensors[0]?.quant?.zeroPoint).toEqual(Int32Array.of(0, -128));
    expect(tensors[0]?.data).toBe(tensors[1]?.data);
  });

  test("tensors that are only moved get a scale", () => {
    const s = new Sketch();
    s.tensors.push({ name: "x", shape: [1], dtype: "int8" }, { name: "f", shape: [1], dtype: "float32" });
    expect(canonicalise(s.graph([0], [0])).tensors.map((tensor) => tensor.quant)).toEqual([quant(1, 0), undefined]);
  });
});

describe("fusePad", () => {
  function padded(paddings: Attributes["pad"]["paddings"], value = 0): Sketch {
    const s = new Sketch();
    s.tensor("x", [1, 4, 4, 1]);
    s.tensor("p", [1, 7, 5, 1]);
    s.tensor("w", [1, 3, 3, 1], "int8", quant(), new Int8Array(9));
    s.tensor("y", [1, 5, 3, 1]);
    s.node("pad", [0], [1], { paddings, value });
    s.node("conv2d", [1, 2, -1], [3], window({ top: 0, bottom: 1, left: 2, right: 3 }));
    return s;
  }
  const SPATIAL: Attributes["pad"]["paddings"] = [
    [0, 0],
    [1, 2],
    [0, 1],
    [0, 0],
  ];

  test("adds to the convolution's padding", () => {
    const graph = fusePad(padded(SPATIAL).graph([0], [3]));
    expect(ops(graph)).toEqual(["conv2d"]);
    expect(graph.nodes[0]?.inputs).toEqual([0, 2, -1]);
    expect(graph.nodes[0]?.attrs).toEqual(window({ top: 1, bottom: 3, left: 2, right: 4 }));
  });

  test("not if the value is not zero, channels are padded, or another reads it", () => {
    expect(ops(fusePad(padded(SPATIAL, 1).graph([0], [3])))).toEqual(["pad", "conv2d"]);
    expect(
      ops(
        fusePad(
          padded([
            [0, 0],
            [1, 2],
            [0, 1],
            [0, 1],
          ]).graph([0], [3]),
        ),
      ),
    ).toEqual(["pad", "conv2d"]);
    expect(ops(fusePad(padded(SPATIAL).graph([0], [3, 1])))).toEqual(["pad", "conv2d"]);
  });
});

describe("fuseClamp", () => {
  function clamped(min: number, max: number, q = quant(), activation: "none" | "relu6" | "reluN1To1" = "none"): Graph {
    const s = new Sketch();
    s.tensor("x", [4]);
    s.tensor("sum", [4]);
    s.tensor("y", [4], "int8", q);
    s.node("add", [0, 0], [1], { activation });
    s.node("clamp", [1], [2], { min, max });
    return fuseClamp(s.graph([0], [2]));
  }

  test("merges into the producer, under the clamp's output", () => {
    const graph = clamped(0, 6);
    expect(graph.nodes).toEqual([
      { op: "add", name: "sum", inputs: [0, 0], outputs: [2], attrs: { activation: "relu6" } },
    ]);
    expect(clamped(0, Number.POSITIVE_INFINITY, quant(), "relu6").nodes[0]?.attrs).toEqual({ activation: "relu6" });
    expect(clamped(-1, 1).nodes[0]?.attrs).toEqual({ activation: "reluN1To1" });
  });

  test("not across scales, nor into an activation that does not exist", () => {
    expect(ops(clamped(0, 6, quant(0.25)))).toEqual(["add", "clamp"]);
    expect(ops(clamped(0, 1))).toEqual(["add", "clamp"]);
    expect(ops(clamped(0, 6, quant(), "reluN1To1"))).toEqual(["add", "clamp"]);
  });

  test("two in a row", () => {
    const s = new Sketch();
    for (const name of ["x", "a", "b", "c"]) s.tensor(name, [4]);
    s.node("mul", [0, 0], [1], { activation: "none" });
    s.node("clamp", [1], [2], { min: 0, max: Number.POSITIVE_INFINITY });
    s.node("clamp", [2], [3], { min: 0, max: 6 });
    const graph = fuseClamp(s.graph([0], [3]));
    expect(graph.nodes.map((node) => [node.op, node.outputs, node.attrs])).toEqual([
      ["mul", [3], { activation: "relu6" }],
    ]);
  });
});

describe("cancelMoves", () => {
  test("reshapes become one, and one that does nothing goes", () => {
    const s = new Sketch();
    const ids = [[4], [2, 2], [4, 1], [4]].map((shape, i) => s.tensor(`t${i}`, shape));
    const y = s.tensor("y", [4]);
    for (const i of [0, 1, 2])
      s.node("reshape", [ids[i] ?? 0], [ids[i + 1] ?? 0], { shape: s.tensors[i + 1]?.shape ?? [] });
    s.node("tanh", [ids[3] ?? 0], [y], {});
    const graph = removeDeadCode(cancelMoves(s.graph([0], [y])));
    expect(ops(graph)).toEqual(["tanh"]);
    expect(names(graph, graph.nodes[0]?.inputs ?? [])).toEqual(["t0"]);
  });

  test("transposes are composed; one that moves only ones is a reshape", () => {
    const s = new Sketch();
    s.tensor("x", [2, 3, 4]);
    s.tensor("a", [4, 2, 3]);
    s.tensor("y", [3, 4, 2]);
    s.node("transpose", [0], [1], { permutation: [2, 0, 1] });
    s.node("transpose", [1], [2], { permutation: [2, 0, 1] });
    const composed = removeDeadCode(cancelMoves(s.graph([0], [2])));
    expect(composed.nodes.map((node) => node.attrs)).toEqual([{ permutation: [1, 2, 0] }]);

    const ones = new Sketch();
    ones.tensor("x", [1, 3, 1, 4]);
    ones.tensor("y", [3, 1, 4, 1]);
    ones.node("transpose", [0], [1], { permutation: [1, 2, 3, 0] });
    expect(cancelMoves(ones.graph([0], [1])).nodes.map((node) => [node.op, node.attrs])).toEqual([
      ["reshape", { shape: [3, 1, 4, 1] }],
    ]);
  });

  test("transposes that undo each other go", () => {
    const s = new Sketch();
    s.tensor("x", [2, 3]);
    s.tensor("a", [3, 2]);
    s.tensor("b", [2, 3]);
    s.tensor("y", [2, 3]);
    s.node("transpose", [0], [1], { permutation: [1, 0] });
    s.node("transpose", [1], [2], { permutation: [1, 0] });
    s.node("tanh", [2], [3], {});
    expect(ops(removeDeadCode(cancelMoves(s.graph([0], [3]))))).toEqual(["tanh"]);
  });

  test("an identity before an output goes, and the output keeps its name", () => {
    const s = new Sketch();
    for (const name of ["x", "a", "y", "z"]) s.tensor(name, [4]);
    s.node("tanh", [0], [1], {});
    s.node("requantize", [1], [2], {});
    s.node("logistic", [1], [3], {});
    const graph = removeDeadCode(cancelMoves(s.graph([0], [2, 3])));
    expect(ops(graph)).toEqual(["tanh", "logistic"]);
    expect(names(graph, graph.outputs)).toEqual(["y", "z"]);
    expect(names(graph, graph.nodes[1]?.inputs ?? [])).toEqual(["y"]);
  });

  test("identities between an input and outputs stay", () => {
    const s = new Sketch();
    for (const name of ["x", "y", "z"]) s.tensor(name, [4]);
    s.node("requantize", [0], [1], {});
    s.node("requantize", [0], [2], {});
    expect(ops(cancelMoves(s.graph([0], [1, 2])))).toEqual(["requantize", "requantize"]);
  });
});

test("removeDeadCode keeps unused inputs and renumbers edges", () => {
  const s = new Sketch();
  for (const name of ["dead", "x", "unused", "y", "also dead"]) s.tensor(name, [4]);
  s.node("tanh", [1], [3], {});
  s.node("tanh", [3], [4], {});
  const graph = removeDeadCode({ ...s.graph([1, 2], [3]), edges: new Map([[3, "float32"]]) });
  expect(graph.tensors.map((tensor) => tensor.name)).toEqual(["x", "unused", "y"]);
  expect([graph.inputs, graph.outputs, [...(graph.edges ?? [])]]).toEqual([[0, 1], [2], [[2, "float32"]]]);
  expect(ops(graph)).toEqual(["tanh"]);
});
