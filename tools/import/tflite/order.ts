// The file's dataflow, checked before anything is imported.
// Invariant: after `checkOrder`, operators are in execution order: what one reads is a constant, a
// graph input or computed before it, and every tensor is computed at most once. So there are no cycles.

import { damaged, quoted, type TfliteFile } from "./file.ts";

export function checkOrder(file: TfliteFile): void {
  const known = new Set<number>();
  const nameOf = (index: number): string => quoted(file.tensors[index]?.name ?? "");
  for (const index of file.inputs) {
    if (known.has(index)) throw damaged(file.name, `its input ${nameOf(index)} is listed twice`);
    if (file.tensors[index]?.bytes !== undefined)
      throw damaged(file.name, `its input ${nameOf(index)} has constant data`);
    known.add(index);
  }
  const ready = (index: number): boolean => {
    const tensor = file.tensors[index];
    if (tensor === undefined || known.has(index)) return true;
    // Empty constants have no bytes; variables and the like are reported by name where they are used.
    return tensor.bytes !== undefined || tensor.obstacle !== undefined || tensor.shape.includes(0);
  };
  for (const operator of file.operators) {
    for (const index of operator.inputs) {
      if (!ready(index))
        throw damaged(file.name, `operator ${operator.index} reads ${nameOf(index)} before it is computed`);
    }
    for (const index of operator.outputs) {
      if (known.has(index) || file.tensors[index]?.bytes !== undefined) {
        throw damaged(file.name, `operator ${operator.index} overwrites ${nameOf(index)}`);
      }
      known.add(index);
    }
  }
  for (const index of file.outputs) {
    if (!known.has(index)) throw damaged(file.name, `its output ${nameOf(index)} is never computed`);
  }
  if (file.outputs.length === 0) throw damaged(file.name, "it has no output");
}
