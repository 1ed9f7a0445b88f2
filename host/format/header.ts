// What the msgpack header of a .mote file says: the shape of the decoded map, shared by the packer
// that writes it and the host that reads it. Invariant: the host trusts none of it for memory
// safety; offsets and sizes come from the plan, and every one is checked against the memory.

export type InterfaceDType = "int8" | "uint8" | "int16" | "int32" | "float32";

/** What the numbers of an input stand for, so that a picture or a sound can be fed as it is. */
export type Meaning =
  /** real value = (pixel 0…255 − mean) / std; channels = the last dimension (1 grey, 3 RGB) */
  | { readonly kind: "image"; readonly mean: number; readonly std: number }
  /** real value = sample in −1…1 · gain, mono */
  | { readonly kind: "audio"; readonly sampleRate: number; readonly gain: number };

export interface PortHeader {
  readonly name: string;
  /** row-major */
  readonly shape: readonly number[];
  /** the dtype a caller sees: the one the source model declares */
  readonly dtype: InterfaceDType;
  /** the dtype in the core's memory; differs from `dtype` only where the edge is float32 */
  readonly storage: InterfaceDType;
  /** real = scale · (q − zeroPoint), of the storage; absent for plain float32 and int32 */
  readonly scale?: number;
  readonly zeroPoint?: number;
  readonly meaning?: Meaning;
  /** class names, for an output that scores classes along its last axis */
  readonly labels?: readonly string[];
}

/** For `explain` and `profile` only. */
export interface StepHeader {
  /** the node of the source model that this step came from */
  readonly name: string;
  /** operator name as in the README's table, e.g. "conv2d" */
  readonly op: string;
  /** the kernel in words, e.g. "gemm 4×8 s8" */
  readonly kernel: string;
  readonly inputShapes: readonly (readonly number[])[];
  readonly outputShape: readonly number[];
  readonly macs: number;
  /** bytes of constants that the step reads */
  readonly paramBytes: number;
  /** [offset from the arena's start, bytes] */
  readonly outputSlot: readonly [offset: number, bytes: number];
  /** what `load` makes for the step and every run reads, in the arena too */
  readonly residentSlot?: readonly [offset: number, bytes: number];
  readonly scratchBytes: number;
}

export interface Header {
  readonly name: string;
  readonly inputs: readonly PortHeader[];
  readonly outputs: readonly PortHeader[];
  readonly memory: {
    /** plan, tables and weights */
    readonly imageBytes: number;
    readonly arenaBytes: number;
    /** imageBytes + arenaBytes */
    readonly totalBytes: number;
  };
  readonly steps: readonly StepHeader[];
  readonly provenance: {
    readonly source: string;
    readonly sourceSha256: string;
    readonly packedBy: string;
  };
}
