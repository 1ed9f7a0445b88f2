// What a page and its Web Worker say to each other. Invariant: one answer to every request, by its id; a failure is
// told as the code and sentence of its MoteError.
import type { BuildName, CoreSource } from "../core.ts";
import type { Header } from "../format/header.ts";
import type { VerifyOptions } from "../format/verify.ts";
import type { Inputs, Outputs } from "../session.ts";

/** What a page knows of a model that runs elsewhere. */
export interface ModelInfo {
  readonly header: Header;
  readonly build: BuildName;
  /** bytes of WebAssembly memory that the session holds */
  readonly memoryBytes: number;
}

export interface OpenRequest {
  readonly kind: "open";
  readonly id: number;
  readonly bytes: Uint8Array;
  /** the compiled core that the page chose, so that it is compiled once */
  readonly core: CoreSource;
  readonly verify?: VerifyOptions;
  readonly maxMemoryBytes?: number;
  /** of a stream to be gone on with */
  readonly state?: Uint8Array;
}

export interface RunRequest {
  readonly kind: "run";
  readonly id: number;
  readonly inputs: Inputs;
}

export type Request = OpenRequest | RunRequest;

export type Answer = { readonly id: number } & (
  | { readonly info: ModelInfo }
  /** `state`: of a streaming model after this run */
  | { readonly outputs: Outputs; readonly state?: Uint8Array; readonly ms: number }
  | { readonly code: string; readonly message: string }
);
