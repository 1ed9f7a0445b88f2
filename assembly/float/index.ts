// Every kernel of the training core, by the name under which tools/train calls it. Never shipped to devices.
// Invariant: pure functions over linear memory, no heap and no imports; places are byte addresses, counts and
// strides are elements. Nothing is checked here: tools/train/program.ts makes every call from checked shapes.
export { gemm, gemmBatched } from "./gemm";
export { conv2d, conv2dInput, conv2dWeights } from "./conv2d";
export { depthwise, depthwiseInput, depthwiseWeights } from "./depthwise";
export { averagePool, averagePoolBackward, maxPool, maxPoolBackward } from "./pool";
export { affineRows, batchNorm, batchNormBackward, batchNormInference, layerNorm, layerNormBackward } from "./norm";
export {
  binaryCrossEntropy, binaryCrossEntropyBackward, crossEntropy, crossEntropyBackward, meanSquares,
  meanSquaresBackward, oneHot, softmax, softmaxBackward,
} from "./softmax";
export {
  add, copy, exp, fill, fillRows, hardSwish, hardSwishBackward, leakyRelu, leakyReluBackward, logistic,
  logisticBackward, mul, relu, relu6, relu6Backward, reluBackward, scale, sub, tanh, tanhBackward,
} from "./elementwise";
export {
  biasCodes, biasCodesBackward, quantizeReals, requantizeRows, requantizeRowsBackward, weightCodes, weightCodesBackward,
} from "./integerRule";
export { clipNorm, mean, meanBackward, sumRows, sumSquares } from "./reduce";
export { gru, gruBackward } from "./gru";
export { lstm, lstmBackward } from "./lstm";
export { rnn, rnnBackward } from "./rnn";
export { copyRows, dropout, permute } from "./move";
export { blend, updateAdagrad, updateAdam, updateRmsprop, updateSgd } from "./update";

/** The first byte that belongs to nobody. */
export function heapBase(): usize {
  return __heap_base;
}
