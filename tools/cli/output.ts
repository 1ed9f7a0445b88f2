// What a command says on stdout. Invariant: with --json it is exactly one JSON value, whatever happens; text
// from a model or a file name cannot steer the terminal.

export interface OutputOptions {
  readonly json?: boolean;
}

/** Prints the value for a program or the text for a person. */
export function print({ json }: OutputOptions, value: unknown, text: () => string): void {
  process.stdout.write(`${json ? JSON.stringify(value) : printable(text())}\n`);
}

/** Names and labels come from files of strangers: their control characters are shown, not obeyed. */
export const printable = (text: string): string => text.replace(/(?!\n)\p{Cc}/gu, "\ufffd");
