// Distillation as a part of a recipe: the net learns from the scores of a teacher, and from values inside it. Hinton, Vinyals &
// Dean, "Distilling the Knowledge in a Neural Network", 2015; features as Romero et al., "FitNets", 2015.
// Invariant: the teacher runs as in inference on the very (augmented) inputs of the step, and nothing of it is trained;
// its parameters have the prefix "teacher.".

import { ToolError } from "../errors.ts";
import { elementCount } from "../graph/graph.ts";
import { glorotUniform } from "./initialisers.ts";
import type { Layer } from "./layers.ts";
import * as ops from "./ops/index.ts";
import type { Value } from "./trace.ts";

const PREFIX = "teacher.";

export interface Distil {
  /** a net of the student's input and outputs; `ensemble([…])` for several */
  teacher(): Layer;
  /** its weights by parameter name (readWeights, ensembleWeights) */
  weights(): ReadonlyMap<string, Float32Array>;
  /** softens both nets' scores; 4 unless said otherwise */
  readonly temperature?: number;
  /** part of the teacher in the loss, 0 … 1; 0.9 unless said otherwise */
  readonly weight?: number;
  /** values to bring near each other, by the names that `mark` (or an integer net's nodes) gave them */
  readonly features?: readonly { readonly student: string; readonly teacher: string }[];
  /** weight of each feature's mean squared distance; 1 unless said otherwise */
  readonly featureWeight?: number;
}

export const isOfTeacher = (name: string): boolean => name.startsWith(PREFIX);

/** The initial values of student and teacher together. */
export function withTeacher(
  initial: ReadonlyMap<string, Float32Array> | undefined,
  distil: Distil | undefined,
): ReadonlyMap<string, Float32Array> {
  const teacher = distil ? [...distil.weights()].map(([name, data]) => [PREFIX + name, data] as const) : [];
  return new Map([...(initial ?? []), ...teacher]);
}

/** The student's loss in a training step; `target` are labels. Throws BAD_GRAPH where the nets do not fit each other. */
export function distilledLoss(recipe: string, distil: Distil, input: Value, student: Value, target: Value): Value {
  const { trace } = input;
  const known = trace.values.length;
  const taught = trace.asInference(() => trace.within("teacher", () => distil.teacher()(input)));
  const shared = trace.values.slice(known).find(({ parameter }) => parameter && !isOfTeacher(parameter.name));
  if (shared) {
    throw new ToolError(
      "BAD_GRAPH",
      `${recipe}: the teacher's parameter "${shared.name}" has a name of its own, which the student could share; let layers name themselves.`,
    );
  }
  if (taught.shape.join() !== student.shape.join()) {
    throw new ToolError(
      "BAD_GRAPH",
      `${recipe}: the teacher gives [${taught.shape}] but the student [${student.shape}]; they must score the same classes.`,
    );
  }
  const loss = ops.distillation(student, taught, target, distil);
  return (distil.features ?? []).reduce((sum, names, i) => {
    const [own, its] = [found(recipe, trace.marks, names.student), found(recipe, trace.marks, PREFIX + names.teacher)];
    return ops.add(sum, ops.scale(distance(recipe, own, its, i), distil.featureWeight ?? 1));
  }, loss);
}

function found(recipe: string, marks: ReadonlyMap<string, Value>, name: string): Value {
  const value = marks.get(name);
  if (value) return value;
  throw new ToolError(
    "BAD_GRAPH",
    `${recipe}: no feature is named "${name}"; there are ${[...marks.keys()].map((key) => `"${key}"`).join(", ") || "none, mark some"}.`,
  );
}

/** Where the teacher has other channels a learned map brings the student's to as many. */
function distance(recipe: string, student: Value, teacher: Value, index: number): Value {
  const [own, its] = [student.shape.at(-1)!, teacher.shape.at(-1)!];
  if (student.shape.slice(0, -1).join() !== teacher.shape.slice(0, -1).join()) {
    throw new ToolError(
      "BAD_GRAPH",
      `${recipe}: feature ${index} is [${student.shape}] in the student and [${teacher.shape}] in the teacher; all but the channels must be equal.`,
    );
  }
  if (own === its) return ops.meanSquaredError(student, teacher);
  const { trace } = student;
  const map = trace.parameter(trace.parameters.declare(`feature${index}.map`, [its, own], glorotUniform));
  const rows = elementCount(student.shape) / own;
  return ops.meanSquaredError(ops.dense(ops.reshape(student, [rows, own]), map), ops.reshape(teacher, [rows, its]));
}
