// How the command ends: its exit status, which the reactor's functions return too. docs/wasi.md lists them.
// Invariant: append-only, as scripts test for them. This file holds nothing but constants.

export const enum Exit {
  Done = 0,
  /** bad usage of the command line, or of the reactor's functions */
  Usage = 2,
  /** a file cannot be opened or read */
  File = 3,
  /** no .mote file, a damaged one, one of another version, or one whose plan the core refuses */
  Model = 4,
  /** the model needs more memory than the engine gives */
  Memory = 5,
  /** the input is too short or too long */
  Input = 6,
  /** the output or the state cannot be written */
  Output = 7,
  /** the state is none, damaged, or another model's */
  State = 8,
}
