// What `read` makes of a TFLite file: plain values, already checked against the file's bytes.
// Invariant: every tensor index is −1 (an absent input) or within `tensors`; every `bytes` lies
// inside the file. Shapes, dtypes and quantization are as the file declares them, unjudged.

import { ToolError } from "../../errors.ts";
import type { BuiltinOptions, TensorType } from "./generated/tflite.ts";

export interface FileQuantization {
  readonly scale: Float32Array;
  /** as many as scales */
  readonly zeroPoint: Int32Array;
  readonly axis: number;
}

export interface FileTensor {
  readonly index: number;
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
  readonly quant?: FileQuantization;
  /** a constant's stored bytes */
  readonly bytes?: Uint8Array;
  /** why the tensor cannot be imported whatever uses it, e.g. sparse storage */
  readonly obstacle?: string;
}

/** A generated options table, e.g. Conv2DOptions. */
export interface OptionsTable {
  bb_pos: number;
}

export interface FileOperator {
  readonly index: number;
  /** a BuiltinOperator, or a number this schema does not know */
  readonly builtin: number;
  readonly customCode: string;
  readonly version: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** a BuiltinOptions, or a number this schema does not know */
  readonly optionsType: number;
  /** Fills `table` with the operator's options; undefined when it has none or others. */
  options<T extends OptionsTable>(type: BuiltinOptions, table: T): T | undefined;
}

export interface TfliteFile {
  /** the file's name, for messages */
  readonly name: string;
  /** in bytes */
  readonly size: number;
  readonly tensors: readonly FileTensor[];
  readonly operators: readonly FileOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/**
 * A name from the file, fit for a message: quoted, shortened, without control characters. Of the names
 * that a fused operator's output bears, the first is enough.
 */
export function quoted(name: string): string {
  const clean = Array.from(name.split(";", 1)[0] || name, (char) => (char < " " || char === "\x7f" ? "?" : char)).join(
    "",
  );
  return `"${clean.length > 120 ? `${clean.slice(0, 117)}…` : clean}"`;
}

export function damaged(file: string, what: string): ToolError {
  return new ToolError("BAD_FILE", `${file} is damaged: ${what}; get the file again.`);
}
