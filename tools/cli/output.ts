// What a command says on stdout. Invariant: with --json it is exactly one JSON value, whatever happens.

export interface OutputOptions {
  readonly json?: boolean;
}

/** Prints the value for a program or the text for a person. */
export function print({ json }: OutputOptions, value: unknown, text: () => string): void {
  process.stdout.write(`${json ? JSON.stringify(value) : text()}\n`);
}
