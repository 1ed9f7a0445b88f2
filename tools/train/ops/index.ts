// Every operator that a trace can hold.
export { hardSwish, leakyRelu, logistic, relu, relu6, scale, tanh } from "./activation.ts";
export { averagePool2d } from "./averagePool2d.ts";
export { batchNorm } from "./batchNorm.ts";
export { add, mul, sub } from "./binary.ts";
export { conv2d } from "./conv2d.ts";
export { dense } from "./dense.ts";
export { depthwiseConv2d } from "./depthwiseConv2d.ts";
export { layerNorm } from "./layerNorm.ts";
export { binaryCrossEntropy, crossEntropy, distillation, meanSquaredError, oneHot } from "./losses.ts";
export { matmul } from "./matmul.ts";
export { maxPool2d } from "./maxPool2d.ts";
export { mean } from "./mean.ts";
export { dropout, flatten, reshape, transpose } from "./moves.ts";
export { recurrent } from "./recurrent.ts";
export { softmax } from "./softmax.ts";
