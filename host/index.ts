/**
 * Runs quantized models packed as `.mote` files, in anything with `fetch` and WebAssembly.
 *
 * ```ts
 * const model = await loadModel("digits.mote");
 * const session = await model.createSession();
 * const { scores } = session.run({ image: new Float32Array(28 * 28) });
 * ```
 *
 * Every failure that is not an abort is a {@link MoteError}, whose `code` says what kind.
 *
 * @module
 */
import type { CoreSource } from "./core.ts";
import { type LoadOptions, loadModelWith, type Model } from "./model.ts";
import type { ModelSource } from "./source.ts";

export type { BuildName, CoreFile, CoreSource } from "./core.ts";
export { MoteError, type MoteErrorCode } from "./errors.ts";
export type { TensorArray } from "./format/dtype.ts";
export type { Header, InterfaceDType, Meaning, PortHeader, StepHeader } from "./format/header.ts";
export type { VerifyOptions } from "./format/verify.ts";
export type { LoadOptions, Model, SessionOptions } from "./model.ts";
export type { Inputs, Outputs, ProfileRow, Session } from "./session.ts";
export type { ModelSource } from "./source.ts";
export type { SessionState } from "./state.ts";

// functions, because `import.meta.url` is not defined in every host that brings its own core
const BESIDE: CoreSource = {
  relaxed: () => new URL("../core/relaxed.wasm", import.meta.url),
  simd: () => new URL("../core/simd.wasm", import.meta.url),
  scalar: () => new URL("../core/scalar.wasm", import.meta.url),
};

/**
 * Reads a `.mote` file and the core that will run it.
 *
 * @param source the file's bytes, a Response (or a promise of one), or an address to fetch. Bytes
 * are not copied and must not change while the model is in use.
 * @throws MoteError BAD_MODEL, UNTRUSTED, VERSION, FETCH, MEMORY or NO_CORE; the signal's reason after an abort.
 */
export function loadModel(source: ModelSource | Promise<ModelSource>, options: LoadOptions = {}): Promise<Model> {
  return loadModelWith(options.core ?? BESIDE, source, options);
}
