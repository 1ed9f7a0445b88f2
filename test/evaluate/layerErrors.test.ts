// Which layer did it: an error put into one layer is found in that layer alone, and after it accumulated.
import { describe, expect, it } from "vitest";
import { compareGraphs, Difference } from "../../tools/evaluate/layerErrors.ts";
import { parseWeights } from "../../tools/quantize/precision.ts";
import { recodeWeights } from "../../tools/quantize/weights.ts";
import { floatGraph } from "../../tools/train/integer/integerTraining.ts";
import { conv2d, dense, flatten, maxPool2d, sequential } from "../../tools/train/layers.ts";
import { layerSection } from "../../tools/train/report/layerReport.ts";
import { blobData, tinyRecipe } from "../train/tiny.ts";

const data = blobData([8, 8, 2]);
const recipe = tinyRecipe({
  data: () => data,
  net: () =>
    sequential(
      conv2d(8, 3, { activation: "relu" }),
      maxPool2d(2),
      conv2d(8, 3, { activation: "relu" }),
      flatten(),
      dense(3),
    ),
});
const graph = floatGraph(recipe, data, new Map());
const size = 8 * 8 * 2;
const inputs = Array.from({ length: 12 }, (_, i) => [data.test.x.slice(i * size, (i + 1) * size)]);

describe("the difference of two graphs", () => {
  it("is none between a graph and itself", () => {
    const { layers, agreement, outputs } = compareGraphs(graph, graph, inputs);
    expect(layers.length).toBe(5);
    for (const { alone, accumulated } of layers) {
      expect([alone.sqnr, accumulated.sqnr]).toEqual([Infinity, Infinity]);
      expect(alone.cosine).toBeCloseTo(1, 9);
    }
    expect([agreement, outputs[0]!.sqnr]).toEqual([1, Infinity]);
  });

  it("is in the layer that has other weights, and in all after it accumulated", () => {
    const second = graph.nodes.filter(({ op }) => op === "conv2d")[1]!.name;
    const rules = {
      default: parseWeights("keep", ""),
      layers: [{ match: second, pattern: new RegExp(`^${second}$`), weights: parseWeights("ternary", "") }],
    };
    const comparison = compareGraphs(graph, recodeWeights(graph, rules), inputs);
    const at = comparison.layers.findIndex(({ layer }) => layer === second);
    for (const [i, { alone, accumulated }] of comparison.layers.entries()) {
      if (i === at) expect(alone.sqnr).toBeLessThan(20);
      else expect(alone.sqnr).toBe(Infinity);
      expect(Number.isFinite(accumulated.sqnr)).toBe(i >= at);
    }
    expect(layerSection(comparison).html).toContain(`Worst alone: ${second}`);
  });

  it("refuses models of different nets in a sentence", () => {
    const other = floatGraph(tinyRecipe(), blobData(), new Map());
    expect(() => compareGraphs(graph, other, inputs)).toThrow(
      /the inputs of tiny are \[1,8,8,2\] and those of tiny \[1,4\]/,
    );
  });

  it("counts decibels and angles", () => {
    const difference = new Difference();
    difference.add([3, 4], [3, 4.5]);
    expect(difference.closeness.sqnr).toBeCloseTo(20, 6);
    expect(difference.closeness.cosine).toBeCloseTo((9 + 18) / (5 * Math.hypot(3, 4.5)), 9);
  });
});
