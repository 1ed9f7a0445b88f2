// The one error type that the tools throw for bad input: one sentence that says what, where,
// expected, got and what to do. Invariant: anything else thrown by a tool is a bug of ours.

export type ToolErrorCode =
  /** a file is not what it should be: damaged, truncated, of another format */
  | "BAD_FILE"
  /** a well-formed model that this version cannot import */
  | "UNSUPPORTED"
  /** a graph whose shapes, dtypes or quantization do not fit together */
  | "BAD_GRAPH"
  /** input data that does not fit the model */
  | "BAD_INPUT"
  /** stopped by the user; what was done is kept */
  | "INTERRUPTED"
  /** a wrong command line */
  | "USAGE";

export class ToolError extends Error {
  override readonly name = "ToolError";
  readonly code: ToolErrorCode;
  constructor(code: ToolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
