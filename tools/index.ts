/**
 * `mote-runtime/tools`: imports models of other frameworks and packs them as `.mote` files. Node only.
 *
 * ```ts
 * const graph = importModel(readFileSync("kws.tflite"), "kws.tflite");
 * const { bytes } = packGraph(graph, { source: "kws.tflite", sourceBytes: readFileSync("kws.tflite") });
 * ```
 *
 * Every failure that a caller can do something about is a {@link ToolError}, whose `code` says what kind.
 *
 * @module
 */
export type { Header, InterfaceDType, Meaning, PortHeader, StepHeader } from "../host/format/header.ts";
export { ToolError, type ToolErrorCode } from "./errors.ts";
export { evaluate } from "./evaluate/reference.ts";
export { withFrontEnd } from "./graph/frontEnds.ts";
export type {
  Activation,
  Attributes,
  Coding,
  DType,
  Graph,
  Node,
  OpName,
  Padding,
  Quantization,
  Tensor,
  TensorData,
  Window,
} from "./graph/graph.ts";
export { streamGraph } from "./graph/stream.ts";
export { validateGraph } from "./graph/validate.ts";
export { importModel, type OnnxOptions } from "./import/index.ts";
export { type Packed, type PackOptions, packGraph } from "./pack/pack.ts";
export { type ChannelPruning, pruneChannels } from "./prune/channels.ts";
export { type PrunableLayer, pruneGroups } from "./prune/groups.ts";
export { type CalibrateOptions, calibrate, type Range, type Ranges } from "./quantize/calibrate.ts";
export { type Observer, parseObserver } from "./quantize/observers.ts";
export { type PostTrainingOptions, postTrainingQuantize } from "./quantize/postTraining.ts";
export { type LayerWeights, parseWeights } from "./quantize/precision.ts";
export { type QuantizeOptions, quantizeGraph } from "./quantize/quantizeGraph.ts";
export { parseRules, type Rules } from "./quantize/rules.ts";
export { recodeWeights } from "./quantize/weights.ts";
export { generateSigningKey, type SigningKey, signModel } from "./sign/sign.ts";
