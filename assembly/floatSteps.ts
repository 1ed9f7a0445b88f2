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

export function checkFloatStep(step: usize): i32 {
  switch (field(step, Step.Op)) {
    case Op.FloatConv:
      return checkFloatConv(step);
    case Op.FloatMatmul:
      return checkFloatMatmul(step);
    case Op.FloatNorm:
      return checkFloatNorm(step);
    case Op.FloatPool:
      return checkFloatPool(step);
    case Op.FloatRecurrent:
      return checkFloatRecurrent(step);
    case Op.FloatSoftmax:
      return checkFloatSoftmax(step);
    case Op.Gather:
      return checkGather(step);
    case Op.Map:
      return checkMap(step);
    case Op.Reduce:
      return checkReduce(step);
    case Op.Resample:
      return checkResample(step);
    case Op.Zip:
      return checkZip(step);
    default:
      return Status.Operator;
  }
}

export function runFloatStep(step: usize): void {
  switch (field(step, Step.Op)) {
    case Op.FloatConv:
      runFloatConv(step);
      break;
    case Op.FloatMatmul:
      runFloatMatmul(step);
      break;
    case Op.FloatNorm:
      runFloatNorm(step);
      break;
    case Op.FloatPool:
      runFloatPool(step);
      break;
    case Op.FloatRecurrent:
      runFloatRecurrent(step);
      break;
    case Op.FloatSoftmax:
      runFloatSoftmax(step);
      break;
    case Op.Gather:
      runGather(step);
      break;
    case Op.Map:
      runMap(step);
      break;
    case Op.Reduce:
      runReduce(step);
      break;
    case Op.Resample:
      runResample(step);
      break;
    case Op.Zip:
      runZip(step);
      break;
    default:
      unreachable();
  }
}
