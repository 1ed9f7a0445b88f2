// The host's one error type: one sentence that says what, where, expected, got and what to do.
// Invariant: bad input of any kind (file, name, length, dtype, use after dispose) ends here, never in a crash.

export type MoteErrorCode =
  /** not a .mote file, truncated, altered, or inconsistent */
  | "BAD_MODEL"
  /** not the bytes that `verify` asked for: altered, not signed, or signed by another key */
  | "UNTRUSTED"
  /** a .mote file of a version that this runtime does not read */
  | "VERSION"
  /** the model needs more memory than allowed or than there is */
  | "MEMORY"
  /** the model could not be fetched or read: trying again may help */
  | "FETCH"
  /** unknown or missing input or output name, wrong length or wrong array type */
  | "BAD_INPUT"
  /** not a saved state, or one that is damaged, of another version or of another model */
  | "BAD_STATE"
  /** the session was disposed */
  | "DISPOSED"
  /** no core build runs on this engine, or a core file is not what it should be */
  | "NO_CORE";

export class MoteError extends Error {
  override readonly name = "MoteError";
  readonly code: MoteErrorCode;
  constructor(code: MoteErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
