// Hands out each name once. Invariant: time per name does not grow with how often one was asked for.

export class Names {
  readonly #taken = new Set<string>();
  readonly #next = new Map<string, number>();

  /** `name`, or `name_2`, `name_3`, … if it was handed out before. */
  take(name: string): string {
    let free = name;
    let count = this.#next.get(name) ?? 2;
    while (this.#taken.has(free)) free = `${name}_${count++}`;
    this.#next.set(name, count);
    this.#taken.add(free);
    return free;
  }
}
