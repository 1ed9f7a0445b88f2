// The steps of sequences: recurrent layers, attention and what stands around them, front ends. Invariant: as execute.ts,
// which asks here for every code from Op.Recurrent on.

import { Op, Status, Step } from "./abi";
import { field } from "./memory";
import { checkAttention, runAttention } from "./ops/attention";
import { checkEmbedding, runEmbedding } from "./ops/embedding";
import { checkMeanPool, runMeanPool } from "./ops/meanPool";
import { checkNormalize, runNormalize } from "./ops/normalize";
import { checkRecurrent, runRecurrent } from "./ops/recurrent";
import { checkSpectrum, runSpectrum } from "./ops/spectrum";

/** Checks the step, or runs it. One function with two callers: the compiler would put the cases of two into execute.ts. */
export function sequenceStep(step: usize, run: bool): i32 {
  switch (field(step, Step.Op)) {
    case Op.Recurrent:
      if (!run) return checkRecurrent(step);
      runRecurrent(step);
      break;
    case Op.Attention:
      if (!run) return checkAttention(step);
      runAttention(step);
      break;
    case Op.Normalize:
      if (!run) return checkNormalize(step);
      runNormalize(step);
      break;
    case Op.Embedding:
      if (!run) return checkEmbedding(step);
      runEmbedding(step);
      break;
    case Op.MeanPool:
      if (!run) return checkMeanPool(step);
      runMeanPool(step);
      break;
    case Op.Spectrum:
      if (!run) return checkSpectrum(step);
      runSpectrum(step);
      break;
    default:
      return Status.Operator;
  }
  return Status.Ok;
}
