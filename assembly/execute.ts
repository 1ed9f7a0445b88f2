// Walks the plan. Invariant: `run` executes only a plan that `load` has accepted whole, and nothing
// that a step can write is read again to decide where to read or write.

import { ABI_VERSION, ConvKernel, NUMERICS_VERSION, Op, Plan, RELAXED_WORDS, STEP_WORDS, SLACK_BYTES, Status, Step } from "./abi";
import { floatStep } from "./floatSteps";
import { field, setMemory } from "./memory";
import { checkAdd, runAdd } from "./ops/add";
import { checkAveragePool2d, runAveragePool2d } from "./ops/averagePool2d";
import { checkBatchMatmul, runBatchMatmul } from "./ops/batchMatmul";
import { checkBinaryConv2d, runBinaryConv2d } from "./ops/binaryConv2d";
import { checkConv2d, runConv2d } from "./ops/conv2d";
import { prepareWinograd } from "./ops/conv2dWinograd";
import { checkCopy, runCopy } from "./ops/copy";
import { checkDepthwiseConv2d, runDepthwiseConv2d } from "./ops/depthwiseConv2d";
import { checkDequantize, runDequantize } from "./ops/dequantize";
import { checkFill, runFill } from "./ops/fill";
import { checkFullyConnected, runFullyConnected } from "./ops/fullyConnected";
import { checkLookup, runLookup } from "./ops/lookup";
import { checkMaxPool2d, runMaxPool2d } from "./ops/maxPool2d";
import { checkMean, runMean } from "./ops/mean";
import { checkMul, runMul } from "./ops/mul";
import { checkQuantize, runQuantize } from "./ops/quantize";
import { checkRequantize, runRequantize } from "./ops/requantize";
import { checkResizeBilinear, runResizeBilinear } from "./ops/resizeBilinear";
import { checkResizeNearest, runResizeNearest } from "./ops/resizeNearest";
import { checkSoftmax, runSoftmax } from "./ops/softmax";
import { checkSquaredDifference, runSquaredDifference } from "./ops/squaredDifference";
import { checkTransposedConv2d, runTransposedConv2d } from "./ops/transposedConv2d";
import { sequenceStep } from "./sequenceSteps";
import { likesNarrow, setNarrow, setWords } from "./simd/machine";
import { relaxedBeyond } from "./simd/relaxedTest";
import { stateFits } from "./state";

const STEP_BYTES: usize = <usize>STEP_WORDS * 4;

let firstStep: usize = 0;
let stepCount: i32 = 0;
let failed: i32 = -1;
let loaded: bool = false;

/**
 * Accepts or refuses the image at `at`, of whose memory `available` bytes may be used. Once all steps are
 * accepted, writes to the arena what some make of their params. The plan is read only here and in `run`.
 */
export function loadPlan(at: usize, available: u32): i32 {
  loaded = false;
  failed = -1;
  if (available < <u32>(Plan.Words * 4)) return Status.Header;
  setNarrow(likesNarrow(available));
  if (ASC_FEATURE_RELAXED_SIMD) setWords(relaxedBeyond() == RELAXED_WORDS);
  if (field(at, Plan.AbiVersion) != ABI_VERSION) return Status.AbiVersion;
  if (field(at, Plan.NumericsVersion) != NUMERICS_VERSION) return Status.NumericsVersion;
  const image = <u32>field(at, Plan.ImageBytes);
  const total = <u32>field(at, Plan.TotalBytes);
  const offset = <u32>field(at, Plan.StepOffset);
  const count = <u32>field(at, Plan.StepCount);
  if (<u64>total + SLACK_BYTES > available || image > total || offset > image) return Status.Header;
  if (<u64>count * STEP_BYTES > <u64>(image - offset) || (offset & 3) != 0) return Status.Header;
  if (!stateFits(at, image, total)) return Status.Header;
  setMemory(at, image, total);
  firstStep = at + <usize>offset;
  stepCount = <i32>count;
  for (let i = 0; i < stepCount; i++) {
    const status = checkStep(firstStep + <usize>i * STEP_BYTES);
    if (status != Status.Ok) {
      failed = i;
      return status;
    }
  }
  if (ASC_FEATURE_SIMD) {
    for (let i = 0; i < stepCount; i++) prepareStep(firstStep + <usize>i * STEP_BYTES);
  }
  loaded = true;
  return Status.Ok;
}

/** Whether a plan is loaded, so that it may be run. */
export function isLoaded(): bool {
  return loaded;
}

/** The step at which `loadPlan` stopped, or −1. */
export function failedAt(): i32 {
  return failed;
}

/** Runs steps `from` … `to` − 1, clamped to the plan. */
export function runRange(from: i32, to: i32): i32 {
  if (!loaded) return Status.NotLoaded;
  if (from < 0) from = 0;
  if (to > stepCount) to = stepCount;
  for (let i = from; i < to; i++) runStep(firstStep + <usize>i * STEP_BYTES);
  return Status.Ok;
}

export function runAll(): i32 {
  return runRange(0, stepCount);
}

function checkStep(step: usize): i32 {
  switch (field(step, Step.Op)) {
    case Op.Conv2d:
      return checkConv2d(step);
    case Op.DepthwiseConv2d:
      return checkDepthwiseConv2d(step);
    case Op.FullyConnected:
      return checkFullyConnected(step);
    case Op.Add:
      return checkAdd(step);
    case Op.AveragePool2d:
      return checkAveragePool2d(step);
    case Op.MaxPool2d:
      return checkMaxPool2d(step);
    case Op.Mean:
      return checkMean(step);
    case Op.Mul:
      return checkMul(step);
    case Op.Softmax:
      return checkSoftmax(step);
    case Op.SquaredDifference:
      return checkSquaredDifference(step);
    case Op.Lookup:
      return checkLookup(step);
    case Op.Copy:
      return checkCopy(step);
    case Op.Fill:
      return checkFill(step);
    case Op.Requantize:
      return checkRequantize(step);
    case Op.ResizeNearest:
      return checkResizeNearest(step);
    case Op.ResizeBilinear:
      return checkResizeBilinear(step);
    case Op.Quantize:
      return checkQuantize(step);
    case Op.Dequantize:
      return checkDequantize(step);
    case Op.BatchMatmul:
      return checkBatchMatmul(step);
    case Op.TransposedConv2d:
      return checkTransposedConv2d(step);
    case Op.BinaryConv2d:
      return checkBinaryConv2d(step);
    default:
      return field(step, Step.Op) >= Op.Recurrent ? sequenceStep(step, false) : floatStep(step, false);
  }
}

/** Writes what stays in the arena from one run to the next. */
function prepareStep(step: usize): void {
  if (field(step, Step.Op) == Op.Conv2d && field(step, Step.Kernel) == ConvKernel.Winograd) prepareWinograd(step);
}

function runStep(step: usize): void {
  switch (field(step, Step.Op)) {
    case Op.Conv2d:
      runConv2d(step);
      break;
    case Op.DepthwiseConv2d:
      runDepthwiseConv2d(step);
      break;
    case Op.FullyConnected:
      runFullyConnected(step);
      break;
    case Op.Add:
      runAdd(step);
      break;
    case Op.AveragePool2d:
      runAveragePool2d(step);
      break;
    case Op.MaxPool2d:
      runMaxPool2d(step);
      break;
    case Op.Mean:
      runMean(step);
      break;
    case Op.Mul:
      runMul(step);
      break;
    case Op.Softmax:
      runSoftmax(step);
      break;
    case Op.SquaredDifference:
      runSquaredDifference(step);
      break;
    case Op.Lookup:
      runLookup(step);
      break;
    case Op.Copy:
      runCopy(step);
      break;
    case Op.Fill:
      runFill(step);
      break;
    case Op.Requantize:
      runRequantize(step);
      break;
    case Op.ResizeNearest:
      runResizeNearest(step);
      break;
    case Op.ResizeBilinear:
      runResizeBilinear(step);
      break;
    case Op.Quantize:
      runQuantize(step);
      break;
    case Op.Dequantize:
      runDequantize(step);
      break;
    case Op.BatchMatmul:
      runBatchMatmul(step);
      break;
    case Op.TransposedConv2d:
      runTransposedConv2d(step);
      break;
    case Op.BinaryConv2d:
      runBinaryConv2d(step);
      break;
    default:
      if (field(step, Step.Op) >= Op.Recurrent) sequenceStep(step, true);
      else floatStep(step, true);
  }
}
