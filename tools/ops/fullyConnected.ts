// fullyConnected: out[r, n] = requantize(bias[n] + Σk (x[r, k] − zx) · (w[n, k] − zw)); x is read as [rows, inC].

import { ConvKernel, Dense, Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { elementCount } from "../graph/graph.ts";
import { align16 } from "../pack/align.ts";
import { gemmBlocks, type Products } from "../pack/blocks.ts";
import { int8Kernel, kernelTypes, withStrips } from "../pack/relaxed.ts";
import { sparseBlocks, sparseRowsScratch, widenedScratch } from "../pack/sparse.ts";
import { chooseSparse } from "../pack/sparseChoice.ts";
import { groupsIn, refuseGroups, requantizeGroups, requireGroupsFit } from "./coding.ts";
import { centredWeights, pointwiseScratch } from "./conv2d.ts";
import { codedAs, fewBitsRows, fewBitsStep, widenedBytes } from "./fewBits.ts";
import { checkFullyConnected16, fullyConnected16Reference, lowerFullyConnected16 } from "./fullyConnected16.ts";
import type { Operator } from "./operator.ts";
import { clampRange, multipliers, perTensor } from "./quantization.ts";
import { present, requireDType, requireRank, requireWeights } from "./window.ts";

export const fullyConnected: Operator<"fullyConnected"> = {
  name: "fullyConnected",

  check(node, inputs, outputs) {
    const x = present(inputs[0], node.name, "input");
    const weights = present(inputs[1], node.name, "weight tensor");
    const output = outputs[0]!;
    requireDType(x, ["int8", "int16"], node.name);
    requireRank(weights, 2, node.name);
    const [outC, inC] = weights.shape as [number, number];
    requireWeights(weights, inputs[2], outC, node.name);
    const elements = elementCount(x.shape);
    if (elements % inC !== 0) {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: the input [${x.shape}] does not divide into rows of the ${inC} values that the weights [${weights.shape}] take; check the reshape before it.`,
      );
    }
    requireGroupsFit(weights, node.name, true, 1);
    perTensor(x, node.name);
    perTensor(output, node.name);
    if (x.dtype === "int16") {
      refuseGroups(weights, node.name);
      checkFullyConnected16(node, x, weights, inputs[2], output);
    }
    const rows = elements / inC;
    // The output may keep the input's leading dimensions or flatten them: both are [rows, outC].
    const kept = output.shape.length > 0 && output.shape.at(-1) === outC && elementCount(output.shape) === rows * outC;
    return [{ shape: kept ? output.shape : [rows, outC], dtype: x.dtype }];
  },

  reference(node, [x, weights, bias], [output]) {
    if (x!.dtype === "int16") return [fullyConnected16Reference(node, x!, weights!, bias, output!)];
    const input = x!.data as Int8Array;
    const [outC, inC] = weights!.shape as [number, number];
    const rows = input.length / inC;
    const w = centredWeights(weights!);
    const inZero = perTensor(x!, node.name).zeroPoint;
    const out = perTensor(output!, node.name);
    const { groupOf, groups } = groupsIn(weights!);
    const sums = new Float64Array(groups);
    const scale = multipliers(perTensor(x!, node.name).scale, weights!.quant!, out.scale, outC * groups);
    const [min, max] = clampRange(node.attrs.activation, output!, node.name);
    const result = new Int8Array(rows * outC);
    for (let r = 0; r < rows; r++) {
      for (let n = 0; n < outC; n++) {
        sums.fill(0);
        sums[0] = bias ? (bias.data[n] as number) : 0;
        for (let k = 0; k < inC; k++) sums[groupOf[k]!]! += (input[r * inC + k]! - inZero) * w[n * inC + k]!;
        const own = scale.subarray(n * groups, (n + 1) * groups);
        result[r * outC + n] = requantizeGroups(sums, own, out.zeroPoint, min, max);
      }
    }
    return [result];
  },

  lower(node, lowering) {
    const x = lowering.tensor(node.inputs[0]!);
    if (x.dtype === "int16") {
      lowerFullyConnected16(node, lowering);
      return;
    }
    const weights = lowering.tensor(node.inputs[1]!);
    const bias = node.inputs[2] === undefined || node.inputs[2] < 0 ? undefined : lowering.tensor(node.inputs[2]);
    const output = lowering.tensor(node.outputs[0]!);
    const [outC, inC] = weights.shape as [number, number];
    const rows = elementCount(x.shape) / inC;
    const { scale, zeroPoint } = perTensor(output, node.name);
    const products: Products = {
      weights: centredWeights(weights),
      outputs: outC,
      segments: 1,
      cells: inC,
      inputZero: perTensor(x, node.name).zeroPoint,
      bias: bias?.data as Int32Array | undefined,
      multipliers: multipliers(perTensor(x, node.name).scale, weights.quant!, scale, outC * groupsIn(weights).groups),
    };
    const dense = int8Kernel(products, rows);
    const [min, max] = clampRange(node.attrs.activation, output, node.name);
    const start = (): number => 0;
    const few = codedAs(weights, products, true);
    const layer = { line: rows, int4: few !== undefined };
    const never = dense === ConvKernel.Int8Wide || (few && few.kernel !== ConvKernel.Int4);
    const { groups, nibbles, why } = chooseSparse(products, start, layer, never ? "never" : lowering.sparsity);
    const sparse = nibbles ? ConvKernel.SparseNibbles : ConvKernel.Sparse;
    const kernelName = groups
      ? `sparse ${nibbles ? "s4" : "s8"}`
      : `${rows < 4 ? "gemv 1×32" : "gemm 4×8"} ${kernelTypes(dense)}`;
    if (few && !groups) {
      const step = fewBitsStep(weights, few, products, node.name);
      const widened = lowering.mayUseMemory(node) ? widenedBytes(products, few, rows) : 0;
      lowering.emit({
        op: Op.FullyConnected,
        kernel: step.kernel,
        input: lowering.at(node.inputs[0]!),
        output: lowering.at(node.outputs[0]!),
        params: lowering.params(step.params),
        scratchBytes: align16(fewBitsRows(inC) + step.roomBytes) + widened,
        spareBytes: widened,
        fields: [
          [Dense.Rows, rows],
          [Dense.InC, inC],
          [Dense.OutC, outC],
          [Dense.OutZero, zeroPoint],
          [Dense.Min, min],
          [Dense.Max, max],
          [Dense.GroupSize, step.groupSize],
          [Dense.InZero, products.inputZero],
        ],
        kernelName: `${rows < 4 ? "gemv" : "gemm"} ${step.name}${why && `: ${why}`}`,
        macs: rows * inC * outC,
      });
      return;
    }
    lowering.emit({
      op: Op.FullyConnected,
      kernel: groups ? sparse : dense,
      input: lowering.at(node.inputs[0]!),
      output: lowering.at(node.outputs[0]!),
      params: lowering.params(
        groups
          ? sparseBlocks(products, groups, start, nibbles, node.name)
          : gemmBlocks(products, dense === ConvKernel.Int8Wide, node.name),
      ),
      scratchBytes: groups
        ? widenedScratch(groups, nibbles) + sparseRowsScratch(inC)
        : withStrips(products, dense, pointwiseScratch(inC)),
      fields: [
        [Dense.Rows, rows],
        [Dense.InC, inC],
        [Dense.OutC, outC],
        [Dense.OutZero, zeroPoint],
        [Dense.Min, min],
        [Dense.Max, max],
      ],
      kernelName: why ? `${kernelName}: ${why}` : kernelName,
      macs: rows * inC * outC,
    });
  },
};
