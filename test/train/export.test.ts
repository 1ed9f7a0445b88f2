// From a trained net to a packed model: every layer has an int8 form that the packer takes, whose integer reference
// stays close to the float net; batch norm, scales and activations are folded.
import { describe, expect, it } from "vitest";
import { evaluate } from "../../tools/evaluate/reference.ts";
import { elementCount } from "../../tools/graph/graph.ts";
import { packGraph } from "../../tools/pack/pack.ts";
import { exportInt8 } from "../../tools/train/export/exportInt8.ts";
import * as layers from "../../tools/train/layers.ts";
import { predictions } from "../../tools/train/metrics.ts";
import { adam } from "../../tools/train/optimizers.ts";
import { constant } from "../../tools/train/schedules.ts";
import { Trainer } from "../../tools/train/trainer.ts";
import { blobData, tinyRecipe } from "./tiny.ts";

const { batchNorm, conv2d, dense, depthwiseConv2d, dropout, flatten, globalAveragePool, sequential } = layers;

const nets: Readonly<Record<string, readonly [shape: readonly number[], net: () => layers.Layer]>> = {
  "an MLP": [
    [6],
    () =>
      sequential(
        dense(12, { activation: "relu" }),
        dense(8, { activation: "hardSwish" }),
        dense(6, { activation: "leakyRelu" }),
        dense(3),
      ),
  ],
  "a CNN": [
    [8, 8, 1],
    () =>
      sequential(
        conv2d(6, 3, { activation: "relu6" }),
        layers.maxPool2d(2),
        conv2d(8, 3, { stride: 2, activation: "relu" }),
        flatten(),
        dropout(0.2),
        dense(3),
      ),
  ],
  "separable convolutions with batch norm": [
    [6, 6, 3],
    () =>
      sequential(
        conv2d(8, 3, { bias: false }),
        batchNorm({ activation: "relu" }),
        depthwiseConv2d(3, { bias: false, stride: 2 }),
        batchNorm({ activation: "relu" }),
        conv2d(8, 1, { bias: false }),
        batchNorm(),
        globalAveragePool(),
        dense(3),
      ),
  ],
  "a residual net": [
    [6, 6, 2],
    () =>
      sequential(
        conv2d(8, 3, { activation: "relu" }),
        layers.residual(sequential(conv2d(8, 3), batchNorm())),
        layers.activation("relu"),
        layers.averagePool2d(2),
        globalAveragePool(),
        batchNorm(),
        dense(3),
      ),
  ],
  "an RNN": [[5, 4], () => sequential(layers.rnn(8), dense(3))],
  "a GRU": [[5, 4], () => sequential(layers.gru(7), dense(3))],
  "an LSTM over all its states": [
    [5, 4],
    () => sequential(layers.lstm(8, { sequence: true }), globalAveragePool(), dense(3)),
  ],
  "self-attention": [
    [5, 4],
    () =>
      sequential(
        dense(8, { activation: "tanh" }),
        layers.positions(),
        layers.residual(layers.selfAttention(2)),
        globalAveragePool(),
        dense(3),
      ),
  ],
  "a transformer block": [
    [5, 4],
    () =>
      sequential(
        dense(8, { activation: "logistic" }),
        layers.transformerBlock({ heads: 2, hidden: 16, dropout: 0.1 }),
        layers.layerNorm(),
        globalAveragePool(),
        dense(3),
      ),
  ],
};

describe("the int8 export of", () => {
  it.each(Object.keys(nets))("%s agrees with the float net", (name) => {
    const [shape, net] = nets[name]!;
    const data = blobData(shape, 192);
    const trainer = new Trainer(tinyRecipe({ net, epochs: 12, optimizer: adam(), schedule: constant(0.01) }), data, 3);
    while (!trainer.isDone) trainer.step();
    trainer.finish();
    const { outputs } = trainer.evaluate(data.test);
    const graph = exportInt8(trainer.machine, trainer.inference, {
      name: "exported",
      samples: data.train,
      head: "softmax",
    });
    expect(packGraph(graph, { source: "test", sourceBytes: new Uint8Array() }).bytes.length).toBeGreaterThan(500);
    expect(graph.nodes.filter(({ op }) => op === "mul" && name.includes("batch norm"))).toEqual([]);
    const { scale, zeroPoint } = graph.tensors[graph.inputs[0]!]!.quant!;
    const size = elementCount(shape);
    const packed = Array.from({ length: data.test.count }, (_, i) => {
      const x = data.test.x.subarray(i * size, (i + 1) * size);
      const q = Int8Array.from(x, (v) => Math.max(-128, Math.min(127, Math.round(v / scale[0]!) + zeroPoint[0]!)));
      return Array.from(evaluate(graph, [q])[0] as Int8Array);
    }).flat();
    const [integer, float] = [predictions(packed, 3), predictions(outputs, 3)];
    const same = integer.filter((label, i) => label === float[i]).length / float.length;
    expect(same).toBeGreaterThan(0.93);
  });

  it("a net without an integer form of some operator names it", () => {
    const odd: layers.Layer = (x) =>
      x.trace.node("sine", [x], x.shape, {
        reference: ([v]) => v!.map(Math.sin),
        forward(emit, [v], y) {
          emit.call("copy", v!, y, elementCount(x.shape));
          return undefined;
        },
        backward: (_emit, { dOutput, pass }) => pass(0, dOutput),
      });
    const trainer = new Trainer(tinyRecipe({ net: () => sequential(dense(3), odd) }), blobData());
    expect(() =>
      exportInt8(trainer.machine, trainer.inference, { name: "odd", samples: trainer.data.train, head: "none" }),
    ).toThrow(/sine has no int8 form/);
  });
});
