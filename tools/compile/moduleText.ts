// A WebAssembly module's text cut into its functions, as Binaryen prints them: "\n (func $name" to the next one.
// Invariant: `toString` gives the text back, but for what was replaced or added.

const START = "\n (func $";
const END = "\n)\n";

export class ModuleText {
  #head: string;
  readonly #functions = new Map<string, string>();

  constructor(text: string) {
    const [head = "", ...rest] = text.slice(0, text.lastIndexOf(END)).split(START);
    this.#head = head;
    for (const each of rest) this.#functions.set(each.slice(0, each.search(/[\s)]/)), each);
  }

  get names(): string[] {
    return [...this.#functions.keys()];
  }

  has(name: string): boolean {
    return this.#functions.has(name);
  }

  /** The text of a function: "name (param …) …". */
  get(name: string): string {
    const text = this.#functions.get(name);
    if (text === undefined) throw new Error(`The template has no function ${name}.`);
    return text;
  }

  set(name: string, text: string): void {
    this.#functions.set(name, text);
  }

  /** Puts `body` in the place of a function's locals and code; its signature stays. */
  setBody(name: string, body: string): void {
    this.set(name, `${this.get(name).split("\n")[0]}\n  ${body}\n )`);
  }

  /** Gives the memory `pages` pages for good, and adds `bytes` at `address` to what it starts with. */
  setMemory(pages: number, address: number, bytes: Uint8Array): void {
    let data = "";
    for (const byte of bytes) data += `\\${byte.toString(16).padStart(2, "0")}`;
    this.#head = this.#head.replace(
      /\n \(memory (\S+) \d+\)/,
      `\n (memory $1 ${pages} ${pages})\n (data $image (i32.const ${address}) "${data}")`,
    );
  }

  toString(): string {
    return [this.#head, ...this.#functions.values()].join(START) + END;
  }
}
