// embedding: out[i] = table[clamp(ids[i])], rows of a constant table in any dtype of 8, 16 or 32 bits.

import { Embedding as Field } from "../../assembly/abi/sequences.ts";
import { Op } from "../../assembly/abi.ts";
import { ToolError } from "../errors.ts";
import { DTYPE_BYTES, elementCount, zeros } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { requireSameQuantization } from "./stridedCopy.ts";
import { present, requireDType, requireRank } from "./window.ts";

export const embedding: Operator<"embedding"> = {
  name: "embedding",

  check(node, inputs, outputs) {
    const ids = present(inputs[0], node.name, "ids");
    const table = present(inputs[1], node.name, "table");
    requireDType(ids, ["int32"], node.name);
    requireRank(table, 2, node.name);
    if (!table.data || (table.quant?.scale.length ?? 1) !== 1 || table.dtype === "int64") {
      throw new ToolError(
        "BAD_GRAPH",
        `${node.name}: the table "${table.name}" must be a constant with one scale, of at most 32 bits.`,
      );
    }
    requireSameQuantization(table, outputs[0]!, node.name);
    return [{ shape: [...ids.shape, table.shape[1]!], dtype: table.dtype }];
  },

  reference(_, [ids, table]) {
    const [entries, width] = table!.shape as [number, number];
    const out = zeros(table!.dtype, ids!.data.length * width) as Int8Array;
    for (const [i, id] of Array.from(ids!.data, Number).entries()) {
      const entry = Math.max(0, Math.min(entries - 1, id));
      out.set(table!.data.subarray(entry * width, (entry + 1) * width) as Int8Array, i * width);
    }
    return [out];
  },

  lower(node, lowering) {
    const table = lowering.tensor(node.inputs[1]!);
    const [entries, width] = table.shape as [number, number];
    lowering.emit({
      op: Op.Embedding,
      input: lowering.at(node.inputs[0]!),
      output: lowering.at(node.outputs[0]!),
      params: lowering.at(node.inputs[1]!),
      fields: [
        [Field.Count, elementCount(lowering.tensor(node.inputs[0]!).shape)],
        [Field.Entries, entries],
        [Field.RowBytes, width * DTYPE_BYTES[table.dtype]],
      ],
      kernelName: `rows of ${width * DTYPE_BYTES[table.dtype]} bytes`,
    });
  },
};
