// floatConv: a convolution in float32: bias, then w · x tap by tap and channel by channel, each product and sum
// rounded, then the clamp. A cell of padding adds w · 0 (not so in a depthwise one, where it is left out: the same
// value, unless a weight is not finite).

import { Op } from "../../assembly/abi.ts";
import { FloatConv, FloatConvKernel } from "../../assembly/floatAbi.ts";
import { ToolError } from "../errors.ts";
import { elementCount, type Node, type Tensor } from "../graph/graph.ts";
import { floatBlocks, requireConstant } from "./floatProducts.ts";
import type { Operator } from "./operator.ts";
import { present, requireRank } from "./window.ts";
import { forCells, forTaps, requireWindow3, spatial, spatialShape, window3Fields, windowOut } from "./window3.ts";

const PIXELS = 64;
const f32 = Math.fround;

function geometry({ attrs }: Node<"floatConv">, x: Tensor, weights: Tensor) {
  const kernel = spatial(weights.shape);
  const [outC, perGroup] = [weights.shape[0]!, weights.shape.at(-1)!];
  const depthwise = attrs.groups === outC && perGroup === 1 && attrs.groups > 1;
  return {
    kernel,
    outC,
    perGroup,
    taps: elementCount(kernel),
    out: windowOut(spatial(x.shape), kernel, attrs),
    depthwise,
  };
}

export const floatConv: Operator<"floatConv"> = {
  name: "floatConv",

  check(node, inputs) {
    const x = present(inputs[0], node.name, "input");
    const weights = present(inputs[1], node.name, "weight tensor");
    requireRank(weights, x.shape.length, node.name);
    requireConstant(weights, "weights", node.name);
    requireConstant(inputs[2], "bias", node.name);
    const { kernel, out, outC, perGroup } = geometry(node, x, weights);
    requireWindow3(x, kernel, out, node.attrs, node.name);
    const { groups } = node.attrs;
    if (
      x.shape.at(-1) !== perGroup * groups ||
      outC % groups !== 0 ||
      (inputs[2] && inputs[2].shape.join() !== `${outC}`)
    ) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: ${groups} groups of weights [${weights.shape}] do not fit an input of ${x.shape.at(-1)} channels and a bias [${inputs[2]?.shape ?? ""}]; check the groups.`,
      );
    }
    return [{ shape: spatialShape(x.shape, out, outC), dtype: "float32" }];
  },

  reference(node, [x, weights, bias], [output]) {
    const { kernel, out, outC, perGroup, taps, depthwise } = geometry(node, x!, weights!);
    const [input, w] = [x!.data as Float32Array, weights!.data as Float32Array];
    const [inC, groups, size] = [x!.shape.at(-1)!, node.attrs.groups, spatial(x!.shape)];
    const [least, most] = [f32(node.attrs.min), f32(node.attrs.max)];
    const result = new Float32Array(elementCount(output!.shape));
    const cells = new Int32Array(taps);
    let at = 0;
    forCells(x!.shape[0]!, out, (batch, place) => {
      forTaps(size, kernel, node.attrs, place, (tap, cell) => {
        cells[tap] = cell;
      });
      for (let c = 0; c < outC; c++) {
        const first = Math.floor(c / (outC / groups)) * perGroup;
        let sum = (bias?.data[c] as number) ?? 0;
        for (let tap = 0; tap < taps; tap++) {
          if (depthwise && cells[tap]! < 0) continue;
          const from = (batch * elementCount(size) + cells[tap]!) * inC + first;
          for (let i = 0; i < perGroup; i++) {
            sum = f32(sum + f32((cells[tap]! < 0 ? 0 : input[from + i]!) * w[(c * taps + tap) * perGroup + i]!));
          }
        }
        result[at++] = Math.min(Math.max(sum, least), most);
      }
    });
    return [result];
  },

  lower(node, lowering) {
    const [xId, weightsId, biasId = -1] = node.inputs as [number, number, number?];
    const [x, weights] = [lowering.tensor(xId), lowering.tensor(weightsId)];
    const bias = biasId < 0 ? undefined : (lowering.tensor(biasId).data as Float32Array);
    const { kernel, out, outC, perGroup, taps, depthwise } = geometry(node, x, weights);
    const { groups } = node.attrs;
    const k = taps * perGroup;
    lowering.emit({
      op: Op.FloatConv,
      kernel: depthwise ? FloatConvKernel.Depthwise : FloatConvKernel.Groups,
      input: lowering.at(xId),
      output: lowering.at(node.outputs[0]!),
      params: lowering.params(
        depthwise ? channelParams(weights, bias, outC, taps) : groupParams(weights, bias, outC, groups, k),
      ),
      ...(!depthwise && { scratchBytes: k * PIXELS * 4 }),
      fields: [...window3Fields(x, kernel, out, node.attrs), [FloatConv.OutC, outC], [FloatConv.Groups, groups]],
      floats: [
        [FloatConv.Min, node.attrs.min],
        [FloatConv.Max, node.attrs.max],
      ],
      kernelName: depthwise ? "depthwise ×4 f32" : "patches, gemm 4×8 f32",
      macs: x.shape[0]! * elementCount(out) * outC * k,
    });
  },
};

function groupParams(
  weights: Tensor,
  bias: Float32Array | undefined,
  outC: number,
  groups: number,
  k: number,
): Uint8Array {
  const data = weights.data as Float32Array;
  const each = outC / groups;
  return Buffer.concat(
    Array.from({ length: groups }, (_, group) =>
      floatBlocks(each, k, bias?.subarray(group * each), (n, i) => data[(group * each + n) * k + i]!),
    ),
  );
}

/** ├ bias ×C ┼ tap 0 ×C ┼ … ┤ */
function channelParams(weights: Tensor, bias: Float32Array | undefined, channels: number, taps: number): Uint8Array {
  const data = weights.data as Float32Array;
  const params = new Float32Array((taps + 1) * channels);
  for (let c = 0; c < channels; c++) {
    params[c] = bias?.[c] ?? 0;
    for (let tap = 0; tap < taps; tap++) params[(tap + 1) * channels + c] = data[c * taps + tap]!;
  }
  return new Uint8Array(params.buffer);
}
