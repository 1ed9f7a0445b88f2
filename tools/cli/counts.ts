// Numbers among the options, and how they are printed. Invariant: a number that an option does not take is a usage error.

import { InvalidArgumentError } from "commander";

export { count } from "./table.ts";

export function wholeNumber(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > 2 ** 31 - 1)
      throw new InvalidArgumentError(`It must be a whole number from ${least} on.`);
    return value;
  };
}

/** A number above 0, up to `most`. */
export function positive(most = Number.MAX_VALUE) {
  return (text: string): number => {
    const value = Number(text);
    if (!(value > 0 && value <= most))
      throw new InvalidArgumentError(
        `It must be a number above 0${most < Number.MAX_VALUE ? ` and at most ${most}` : ""}.`,
      );
    return value;
  };
}
