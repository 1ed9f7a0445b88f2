// The float32 steps and what works on plain numbers, apart from the integer ones so that a walk over those stays
// short. Invariant: as execute.ts, which asks here for every code that it does not know itself.

import { Op, Status, Step } from "./abi";
import { field } from "./memory";
import { checkFloatConv, runFloatConv } from "./ops/floatConv";
import { checkFloatMatmul, runFloatMatmul } from "./ops/floatMatmul";
import { checkFloatNorm, runFloatNorm } from "./ops/floatNorm";
import { checkFloatPool, runFloatPool } from "./ops/floatPool";
import { checkFloatRecurrent, runFloatRecurrent } from "./ops/floatRecurrent";
import { checkFloatSoftmax, runFloatSoftmax } from "./ops/floatSoftmax";
import { checkGather, runGather } from "./ops/gather";
import { checkMap, runMap } from "./ops/map";
import { checkReduce, runReduce } from "./ops/reduce";
import { checkResample, runResample } from "./ops/resample";
import { checkZip, runZip } from "./ops/zip";

/** Checks the step, or runs it. One function with two callers: the compiler would put the cases of two into execute.ts. */
export function floatStep(step: usize, run: bool): i32 {
  switch (field(step, Step.Op)) {
    case Op.FloatConv:
      if (!run) return checkFloatConv(step);
      runFloatConv(step);
      break;
    case Op.FloatMatmul:
      if (!run) return checkFloatMatmul(step);
      runFloatMatmul(step);
      break;
    case Op.FloatNorm:
      if (!run) return checkFloatNorm(step);
      runFloatNorm(step);
      break;
    case Op.FloatPool:
      if (!run) return checkFloatPool(step);
      runFloatPool(step);
      break;
    case Op.FloatRecurrent:
      if (!run) return checkFloatRecurrent(step);
      runFloatRecurrent(step);
      break;
    case Op.FloatSoftmax:
      if (!run) return checkFloatSoftmax(step);
      runFloatSoftmax(step);
      break;
    case Op.Gather:
      if (!run) return checkGather(step);
      runGather(step);
      break;
    case Op.Map:
      if (!run) return checkMap(step);
      runMap(step);
      break;
    case Op.Reduce:
      if (!run) return checkReduce(step);
      runReduce(step);
      break;
    case Op.Resample:
      if (!run) return checkResample(step);
      runResample(step);
      break;
    case Op.Zip:
      if (!run) return checkZip(step);
      runZip(step);
      break;
    default:
      return Status.Operator;
  }
  return Status.Ok;
}
