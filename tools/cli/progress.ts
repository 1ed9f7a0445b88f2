// Says on stderr what slow work is under way. Invariant: stdout is never touched; on a terminal one line is
// rewritten, elsewhere (a log, a pipe) every stage is one plain line.

const CLEAR_LINE = "\r\u001b[2K";

export class Progress {
  readonly #terminal = process.stderr.isTTY === true;

  /** Runs `work` under the name `what`, which reads like "packing". */
  async stage<T>(what: string, work: () => T | Promise<T>): Promise<T> {
    this.show(`${what} …`);
    const started = performance.now();
    try {
      const result = await work();
      if (this.#terminal) process.stderr.write(`${CLEAR_LINE}${what}: ${seconds(performance.now() - started)}\n`);
      return result;
    } catch (error) {
      this.clear();
      throw error;
    }
  }

  /** A line that the next one replaces on a terminal. */
  show(line: string): void {
    process.stderr.write(this.#terminal ? CLEAR_LINE + line : `${line}\n`);
  }

  clear(): void {
    if (this.#terminal) process.stderr.write(CLEAR_LINE);
  }
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
